//! Actions at the API server.

use std::collections::BTreeMap;

use ::kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use ::kube::core::Request;
use serde_json::{Map, Value, json};

use crate::model::{
    ApiAction, CertificateSpec, FIRST_REVISION, Failure, JWT_NEXT, JWT_PRIVATE, JWT_PUBLIC, KEY_ID, KeyKind, LiveSecret, MANAGED_BY,
    Manifest, ObjectRef, REVISION, Restart, SecretKind, SecretSpec, TLS_CA, TLS_CHAIN, TLS_KEY,
};

use super::read::secrets_in;
use super::refusal::{failure, is_absent, status, told, told_of_secret};
use super::secret_patch::{encoded, patch};
use super::{Cluster, MANAGER, certificate, key_pair, renew};

/// The field manager of restarts.
const RESTARTER: &str = "bedplate-restart";

impl Cluster {
    pub(super) async fn write(&self, action: &ApiAction) -> Result<(), Failure> {
        match action {
            ApiAction::Apply(manifest) => self.apply(manifest).await,
            ApiAction::PutSecret(spec) => self.put_secret(spec).await,
            ApiAction::MakeUp(spec, recipes) => {
                let mut spec = spec.clone();
                spec.data.extend(recipes.iter().map(|(key, recipe)| (key.clone(), recipe.make())));
                self.put_secret(&spec).await
            }
            ApiAction::CreateKeyPair { namespace, name, kind } => self.create_key_pair(namespace, name, *kind).await,
            ApiAction::AddKeyPair { namespace, name, kind, follows: _, resource_version } => {
                self.add_key_pair(namespace, name, *kind, resource_version).await
            }
            ApiAction::CreateCertificate(wanted) => self.create_certificate(wanted).await,
            ApiAction::Renew { namespace, name } => self.renew(namespace, name).await,
            ApiAction::Restart(restart) => self.restart(restart).await,
            ApiAction::Rotate(action) => self.rotate(action).await,
            ApiAction::Delete(object) => self.delete(object).await,
        }
    }

    async fn apply(&self, manifest: &Manifest) -> Result<(), Failure> {
        let object = manifest.object();
        let tried = format!("apply {object}");
        self.kinds.meet([(object.api_version.as_str(), object.kind.as_str())]).await;
        let kind = self.kinds.of(object).map_err(|seen| Failure::new(&tried, seen, "see that k3s runs on the server, then run again"))?;
        let kind = kind.ok_or_else(|| {
            let seen = format!("the API server serves no kind {} in {}", object.kind, object.api_version);
            Failure::new(&tried, seen, "install its custom resource definition first, or correct apiVersion and kind")
        })?;
        let params = PatchParams::apply(MANAGER).force();
        let request = Request::new(kind.home(object)).patch(&object.name, &params, &Patch::Apply(manifest.body()));
        self.fetch(request).await.map(drop).map_err(|error| failure(tried, told(&error), &error))
    }

    /// A merge patch, as kubectl's own restart is: it makes no workload where none is, and takes away nobody's revision. The manager is
    /// another than that of our applies, so that neither they nor the dry runs by which drift is found take the revision away.
    async fn restart(&self, restart: &Restart) -> Result<(), Failure> {
        let Restart { workload, reads, revision } = restart;
        let tried = format!("restart {workload}");
        let kind = self.kinds.of(workload).map_err(|seen| Failure::new(&tried, seen, "see that k3s runs on the server, then run again"))?;
        let none = || Failure::new(&tried, "there is none", "correct its name in the inventory, or install what brings it");
        let kind = kind.ok_or_else(none)?;
        let template = json!({ "metadata": { "annotations": { Restart::annotation(reads): revision } } });
        let params = PatchParams { field_manager: Some(RESTARTER.into()), ..PatchParams::default() };
        let patch = Patch::Merge(json!({ "spec": { "template": template } }));
        match self.fetch(Request::new(kind.home(workload)).patch(&workload.name, &params, &patch)).await {
            Ok(_) => Ok(()),
            Err(error) if is_absent(&error) => Err(none()),
            Err(error) => Err(failure(tried.clone(), told(&error), &error)),
        }
    }

    async fn delete(&self, object: &ObjectRef) -> Result<(), Failure> {
        let tried = format!("delete {object}");
        self.kinds.meet([(object.api_version.as_str(), object.kind.as_str())]).await;
        let kind = self.kinds.of(object).map_err(|seen| Failure::new(&tried, seen, "see that k3s runs on the server, then run again"))?;
        let Some(kind) = kind else { return Ok(()) };
        match self.fetch(Request::new(kind.home(object)).delete(&object.name, &DeleteParams::background())).await {
            Ok(_) => Ok(()),
            Err(error) if is_absent(&error) => Ok(()),
            Err(error) => Err(failure(tried, told(&error), &error)),
        }
    }

    /// cert-manager begins at the next look at the status. One that is gone, or is being issued by now, is left as it is.
    async fn renew(&self, namespace: &str, name: &str) -> Result<(), Failure> {
        let object = ObjectRef::new("cert-manager.io/v1", "Certificate", namespace, name);
        let tried = format!("have {object} issued anew");
        let unread = |seen: String| Failure::new(&tried, seen, "see that k3s runs on the server, then run again");
        let live = self.object(&object).await.map_err(unread)?;
        let asked = live.and_then(|live| renew::asked(live, jiff::Timestamp::now()));
        let (Some(asked), Some(kind)) = (asked, self.kinds.of(&object).map_err(unread)?) else { return Ok(()) };
        let params = PostParams { field_manager: Some(MANAGER.into()), ..PostParams::default() };
        let request = Request::new(kind.home(&object)).replace_subresource("status", name, &params, asked.to_string().into_bytes());
        self.fetch(request).await.map(drop).map_err(|error| failure(tried.clone(), told(&error), &error))
    }

    /// A Secret that somebody made, changed or deleted since the plan is left as it is: the engine looks again.
    async fn put_secret(&self, spec: &SecretSpec) -> Result<(), Failure> {
        let SecretSpec { namespace, name, .. } = spec;
        let tried = format!("write secret {namespace}/{name}");
        let revision = format!("{:016x}", rand::random::<u64>());
        let Some(planned) = &spec.resource_version else {
            let data: Map<String, Value> = spec.data.iter().map(|(key, value)| (key.clone(), encoded(value))).collect();
            let revision = format!("{FIRST_REVISION}{revision}");
            let more = spec.annotations.iter().filter_map(|(name, value)| Some((name.as_str(), value.as_deref()?)));
            let annotations = more.chain([(REVISION, revision.as_str())]).collect();
            return self.create_secret(namespace, name, spec.kind, annotations, data).await;
        };
        let Some(live) = self.as_planned(namespace, name, planned, &tried).await? else { return Ok(()) };
        let changes = Value::from(patch(&live, spec, &revision));
        let Err(refused) = self.patch_secret(namespace, name, &changes).await else { return Ok(()) };
        // A failed `test` is a 422, as a wrong value is: only a second look tells them apart.
        match self.as_planned(namespace, name, planned, &tried).await? {
            None => Ok(()),
            Some(_) => Err(failure(tried, told_of_secret(&refused), &refused)),
        }
    }

    /// A JSON patch.
    pub(super) async fn patch_secret(&self, namespace: &str, name: &str, changes: &Value) -> Result<(), ::kube::Error> {
        let request = http::Request::patch(format!("{}/{name}?fieldManager={MANAGER}", secrets_in(namespace)))
            .header(http::header::CONTENT_TYPE, "application/json-patch+json")
            .body(changes.to_string().into_bytes())
            .map_err(::kube::core::request::Error::BuildRequest);
        self.fetch(request).await.map(drop)
    }

    /// The Secret, if it is still the one of the plan.
    pub(super) async fn as_planned(&self, namespace: &str, name: &str, planned: &str, tried: &str) -> Result<Option<LiveSecret>, Failure> {
        let unread = |seen| Failure::new(tried, seen, "see that k3s runs on the server, then run again");
        let live = self.secret(namespace, name).await.map_err(unread)?;
        Ok(live.filter(|live| live.resource_version == planned))
    }

    async fn create_key_pair(&self, namespace: &str, name: &str, kind: KeyKind) -> Result<(), Failure> {
        let made = made(namespace, name, kind).await?;
        let data = [(JWT_PRIVATE, &made.private), (JWT_PUBLIC, &made.public)];
        let data = data.into_iter().map(|(key, value)| (key.to_owned(), encoded(value))).collect();
        self.create_secret(namespace, name, SecretKind::Opaque, [(KEY_ID, made.kid.as_str())].into(), data).await
    }

    async fn create_certificate(&self, wanted: &CertificateSpec) -> Result<(), Failure> {
        let CertificateSpec { namespace, name, names, resource_version } = wanted.clone();
        let made = certificate::make(&names, jiff::Timestamp::now()).map_err(|seen| {
            Failure::new(format!("make a certificate for secret {namespace}/{name}"), seen, "look at the names of the sites that name it")
        })?;
        let data = [(TLS_CHAIN, made.chain), (TLS_KEY, made.key), (TLS_CA, made.ca)].map(|(key, value)| (key.to_owned(), value)).into();
        let (kind, annotations) = (SecretKind::Tls, BTreeMap::new());
        self.put_secret(&SecretSpec { namespace, name, kind, data, annotations, resource_version }).await
    }

    async fn add_key_pair(&self, namespace: &str, name: &str, kind: KeyKind, planned: &str) -> Result<(), Failure> {
        let made = made(namespace, name, kind).await?;
        let tried = format!("write secret {namespace}/{name}");
        let Some(live) = self.as_planned(namespace, name, planned, &tried).await? else { return Ok(()) };
        let mut data = live.data;
        data.insert(JWT_NEXT.into(), made.private);
        let (namespace, name) = (namespace.into(), name.into());
        let (kind, resource_version) = (SecretKind::Opaque, Some(planned.into()));
        let annotations = BTreeMap::new();
        self.put_secret(&SecretSpec { namespace, name, kind, data, annotations, resource_version }).await
    }

    async fn create_secret(
        &self,
        namespace: &str,
        name: &str,
        kind: SecretKind,
        annotations: BTreeMap<&str, &str>,
        data: Map<String, Value>,
    ) -> Result<(), Failure> {
        let (label, ours) = MANAGED_BY;
        let body = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": { "name": name, "namespace": namespace, "labels": { label: ours }, "annotations": annotations },
            "type": kind.name(),
            "data": data,
        });
        let params = PostParams { field_manager: Some(MANAGER.into()), ..PostParams::default() };
        let request = Request::new(secrets_in(namespace)).create(&params, body.to_string().into_bytes());
        match self.fetch(request).await {
            Ok(_) => Ok(()),
            // It has come into being since: it stays.
            Err(error) if status(&error).is_some_and(|status| status.code == 409) => Ok(()),
            Err(error) => Err(failure(format!("create secret {namespace}/{name}"), told_of_secret(&error), &error)),
        }
    }
}

/// A fresh pair for a Secret.
async fn made(namespace: &str, name: &str, kind: KeyKind) -> Result<key_pair::Made, Failure> {
    let made = tokio::task::spawn_blocking(move || key_pair::make(kind)).await.map_err(|error| error.to_string()).flatten();
    let tried = format!("make a key pair for secret {namespace}/{name}");
    made.map_err(|seen| Failure::new(tried, seen, "set `bits` of [[jwt_keys]] to 2048, 3072 or 4096"))
}
