//! The API server's half of the fake: objects, Secrets, releases, and a cert-manager that issues at once.

use std::collections::BTreeMap;

use bedplate::model::{
    Answer, ApiAction, ApiQuestion, DryRun, Exchange, Failure, LiveRelease, LiveSecret, Manifest, ObjectRef, Phase, ReleaseUpgrade, Reply,
    Secret, SecretSpec, Served,
};
use serde_json::{Value, json};

use super::tls::{self, Leaf};

const SITE: [&str; 2] = ["shop.example", "www.shop.example"];

#[derive(Default)]
pub struct Api {
    pub objects: BTreeMap<ObjectRef, Value>,
    /// What was last applied of each object: fields that an apply no longer declares go.
    applied: BTreeMap<ObjectRef, Value>,
    pub secrets: BTreeMap<(String, String), LiveSecret>,
    pub releases: BTreeMap<(String, String), LiveRelease>,
    /// Every certificate ever issued, by its issuer.
    pub issued: Vec<String>,
    leaf: Option<Leaf>,
    version: u64,
}

impl Api {
    /// What k3s puts there when it starts.
    pub fn start(&mut self) {
        for namespace in ["default", "kube-node-lease", "kube-system"] {
            self.put(json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace } }));
        }
        self.put(json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": "droplet" },
            "status": { "conditions": [{ "type": "Ready", "status": "True" }], "nodeInfo": { "kubeletVersion": "v1.35.5+k3s1" } } }));
        self.put(json!({ "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": { "name": "droplet", "namespace": "kube-node-lease" }, "spec": { "renewTime": "2100-01-01T00:00:00.000000Z" } }));
        for name in ["coredns", "traefik", "metrics-server"] {
            self.deployment("kube-system", name);
        }
        self.put(json!({ "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": { "name": "local-path" } }));
        self.put(json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": "traefik", "namespace": "kube-system" },
            "spec": { "type": "LoadBalancer" }, "status": { "loadBalancer": { "ingress": [{ "ip": "203.0.113.10" }] } } }));
    }

    fn deployment(&mut self, namespace: &str, name: &str) -> Value {
        let body = json!({ "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": { "name": name, "namespace": namespace, "generation": 1 },
            "spec": { "replicas": 1, "selector": { "matchLabels": { "app": name } } },
            "status": { "observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1, "readyReplicas": 1,
                "conditions": [{ "type": "Available", "status": "True" }] } });
        self.put(body.clone());
        body
    }

    pub fn put(&mut self, body: Value) {
        if let Some(manifest) = Manifest::new(body) {
            let merged = merged(self.objects.get(manifest.object()), manifest.body());
            self.objects.insert(manifest.object().clone(), merged);
        }
    }

    pub fn answer(&self, question: &ApiQuestion) -> Answer {
        let reply = match question {
            ApiQuestion::Ready => Some(Reply::Text("ok".into())),
            ApiQuestion::Object(object) => self.objects.get(object).cloned().map(Reply::Object),
            ApiQuestion::List { of, .. } => Some(Reply::Objects(self.list(of))),
            ApiQuestion::Secret { namespace, name } => self.secrets.get(&(namespace.clone(), name.clone())).cloned().map(Reply::Secret),
            ApiQuestion::Release { namespace, name } => {
                self.releases.get(&(namespace.clone(), name.clone())).cloned().map(|release| Reply::Release(Box::new(release)))
            }
            ApiQuestion::DryRun(manifest) => {
                let live = self.objects.get(manifest.object()).cloned();
                let merged = self.after(manifest);
                Some(Reply::DryRun(DryRun { live, merged, conflicts: Vec::new() }))
            }
        };
        reply.map_or(Answer::Absent, Answer::Present)
    }

    fn list(&self, of: &ObjectRef) -> Vec<Value> {
        let matches = |object: &&ObjectRef| object.kind == of.kind && (of.namespace.is_empty() || object.namespace == of.namespace);
        self.objects.keys().filter(matches).map(|object| self.objects[object].clone()).collect()
    }

    /// The object as an apply would leave it.
    fn after(&self, manifest: &Manifest) -> Value {
        let mut live = self.objects.get(manifest.object()).cloned();
        if let (Some(live), Some(before)) = (&mut live, self.applied.get(manifest.object())) {
            prune(live, before, manifest.body());
        }
        merged(live.as_ref(), manifest.body())
    }

    /// Nothing can be put into a namespace that is not there.
    fn home(&self, namespace: &str) -> Result<(), Failure> {
        if namespace.is_empty() || self.objects.contains_key(&ObjectRef::new("v1", "Namespace", "", namespace)) {
            return Ok(());
        }
        Err(Failure::new(format!("write into {namespace}"), "namespace not found", ""))
    }

    pub fn perform(&mut self, action: &ApiAction) -> Result<(), Failure> {
        match action {
            ApiAction::Apply(manifest) => {
                self.home(&manifest.object().namespace)?;
                self.objects.insert(manifest.object().clone(), self.after(manifest));
                self.applied.insert(manifest.object().clone(), manifest.body().clone());
                if manifest.object().kind == "ClusterIssuer" {
                    let ready =
                        json!({ "status": { "conditions": [{ "type": "Ready", "status": "True", "reason": "ACMEAccountRegistered" }] } });
                    let body = merged(self.objects.get(manifest.object()), &ready);
                    self.objects.insert(manifest.object().clone(), body);
                }
            }
            ApiAction::PutSecret(spec) => {
                self.home(&spec.namespace)?;
                self.write(spec);
            }
            ApiAction::CreateKeyPair { namespace, name, .. } => {
                self.home(namespace)?;
                let key = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048).unwrap();
                let data = [("jwt_private.pem", key.serialize_pem()), ("jwt_public.pem", key.public_key_pem())]
                    .map(|(name, text)| (name.to_owned(), Secret::new(text)))
                    .into();
                let version = self.tick();
                let made = ours(version.clone(), data, ("bedplate.dev/kid", version));
                self.secrets.entry((namespace.clone(), name.clone())).or_insert(made);
            }
            ApiAction::Delete(object) => {
                self.objects.remove(object);
                self.applied.remove(object);
                if object.kind == "Namespace" {
                    self.objects.retain(|other, _| other.namespace != object.name);
                    self.applied.retain(|other, _| other.namespace != object.name);
                    self.secrets.retain(|(namespace, _), _| *namespace != object.name);
                }
            }
        }
        Ok(())
    }

    fn tick(&mut self) -> String {
        self.version += 1;
        self.version.to_string()
    }

    /// A Secret that is not the one of the plan stays as it is.
    fn write(&mut self, spec: &SecretSpec) {
        let key = (spec.namespace.clone(), spec.name.clone());
        let live = self.secrets.get(&key);
        if live.map(|live| &live.resource_version) != spec.resource_version.as_ref() || live.is_some_and(|live| live.data == spec.data) {
            return;
        }
        let version = self.tick();
        let written = ours(version.clone(), spec.data.clone(), ("bedplate.dev/revision", version));
        self.secrets.insert(key, written);
    }

    pub fn upgrade(&mut self, release: &ReleaseUpgrade) {
        let key = (release.namespace.clone(), release.name.clone());
        let workloads: &[&str] = if release.name == "cert-manager" { &["cert-manager"] } else { &["web", "auth"] };
        let mut objects = Vec::new();
        for name in workloads {
            let mut body = self.deployment(&release.namespace, name);
            body.as_object_mut().unwrap().remove("status");
            objects.push(body);
        }
        let live = LiveRelease {
            revision: self.releases.get(&key).map_or(1, |old| old.revision + 1),
            status: "deployed".into(),
            deployed: None,
            chart_version: if release.name == "cert-manager" { "v1.21.1" } else { "1.0.0" }.into(),
            chart_digest: release.chart_digest.clone(),
            values: release.values.clone(),
            objects,
        };
        self.releases.insert(key, live);
        if let Some(issuer) = release.values.pointer("/ingress/clusterIssuer").and_then(Value::as_str) {
            self.issue(&release.namespace, issuer);
        }
    }

    /// cert-manager's part: a certificate of that issuer, unless the Secret has one already.
    fn issue(&mut self, namespace: &str, issuer: &str) {
        self.put(json!({ "apiVersion": "cert-manager.io/v1", "kind": "Certificate",
            "metadata": { "name": "shop-tls", "namespace": namespace },
            "spec": { "secretName": "shop-tls", "dnsNames": SITE, "issuerRef": { "name": issuer, "kind": "ClusterIssuer" } },
            "status": { "conditions": [{ "type": "Ready", "status": "True" }], "renewalTime": "2030-01-01T00:00:00Z" } }));
        let key = (namespace.to_owned(), "shop-tls".to_owned());
        let has = |live: &LiveSecret| live.annotations.get("cert-manager.io/issuer-name").is_some_and(|name| name == issuer);
        if self.secrets.get(&key).is_some_and(has) {
            return;
        }
        let leaf = tls::leaf(issuer, &SITE.map(Into::into));
        self.issued.push(issuer.into());
        let data = [("tls.crt".to_owned(), Secret::new(leaf.pem.clone())), ("tls.key".to_owned(), Secret::new("key"))].into();
        let annotations = [("cert-manager.io/issuer-name".to_owned(), issuer.to_owned())].into();
        self.secrets.insert(key, LiveSecret { kind: "kubernetes.io/tls".into(), ..secret(data, annotations) });
        self.leaf = Some(leaf);
    }

    pub fn clear(&mut self, namespace: &str, name: &str) {
        self.releases.remove(&(namespace.to_owned(), name.to_owned()));
    }

    pub fn served(&self, name: &str) -> Answer {
        let Some(leaf) = &self.leaf else { return Answer::Unreadable("connection refused".into()) };
        let phase = if leaf.issuer.ends_with("production") { Phase::Production } else { Phase::Staging };
        Answer::Present(Reply::Served(Served {
            phase,
            subject: format!("CN={name}"),
            issuer: format!("CN={}", leaf.issuer),
            names: leaf.names.clone(),
            not_before: tls::now() - 3600,
            not_after: tls::now() + 90 * 86_400,
            sha256: leaf.sha256.clone(),
        }))
    }

    pub fn get(&self, url: &str) -> Answer {
        let (status, location) = match url.strip_prefix("http://") {
            Some(rest) if rest.contains("/.well-known/acme-challenge/") => (404, String::new()),
            Some(rest) => (301, format!("https://{rest}")),
            None => match url.strip_prefix("https://www.") {
                Some(rest) => (301, format!("https://{rest}")),
                None => (200, String::new()),
            },
        };
        let body = "<html><head><title>Shop</title></head></html>".into();
        Answer::Present(Reply::Exchange(Exchange { status, location, server: String::new(), body }))
    }
}

fn ours(version: String, data: BTreeMap<String, Secret>, (annotation, value): (&str, String)) -> LiveSecret {
    let labels = [("app.kubernetes.io/managed-by".to_owned(), "bedplate".to_owned())].into();
    LiveSecret { resource_version: version, labels, ..secret(data, [(annotation.to_owned(), value)].into()) }
}

fn secret(data: BTreeMap<String, Secret>, annotations: BTreeMap<String, String>) -> LiveSecret {
    LiveSecret { resource_version: "1".into(), kind: "Opaque".into(), labels: BTreeMap::new(), annotations, data }
}

/// Takes out of `live` what `before` declared and `now` does not.
fn prune(live: &mut Value, before: &Value, now: &Value) {
    let (Value::Object(live), Value::Object(before)) = (live, before) else { return };
    for (key, old) in before {
        let declared = now.get(key);
        let Some(field) = live.get_mut(key) else { continue };
        prune(field, old, declared.unwrap_or(&Value::Null));
        if declared.is_none() && (!field.is_object() || *field == json!({})) {
            live.remove(key);
        }
    }
}

/// Server-side apply as far as it matters here: declared fields win, others stay.
fn merged(live: Option<&Value>, declared: &Value) -> Value {
    match (live, declared) {
        (Some(Value::Object(live)), Value::Object(declared)) => {
            let mut all = live.clone();
            for (key, value) in declared {
                all.insert(key.clone(), merged(live.get(key), value));
            }
            Value::Object(all)
        }
        _ => declared.clone(),
    }
}
