//! The API server of make-believe: objects and Secrets. Releases are `helm`'s, and what comes of objects `controllers`'.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use bedplate::inventory::{Inventory, Site};
use bedplate::model::{
    Answer, ApiAction, ApiQuestion, CertificateSpec, DryRun, Failure, LiveRelease, LiveSecret, Manifest, ObjectRef, Reply, Restart, Secret,
    SecretKind, SecretSpec,
};
use serde_json::{Value, json};

use super::helm::deployment;
use super::keys::key_pair;
use super::tls::{self, Leaf};

/// Who issues what bedplate makes itself.
pub const OWN: &str = "own";

#[derive(Clone)]
pub struct Api {
    pub objects: BTreeMap<ObjectRef, Value>,
    /// What was last applied of each object: fields that an apply no longer declares go.
    applied: BTreeMap<ObjectRef, Value>,
    pub secrets: BTreeMap<(String, String), LiveSecret>,
    /// Every revision of each release, the newest last.
    pub releases: BTreeMap<(String, String), Vec<LiveRelease>>,
    /// Every certificate ever issued: its Secret and its issuer.
    pub issued: Vec<(String, String)>,
    /// What lies in each TLS Secret.
    pub leaves: BTreeMap<(String, String), Leaf>,
    /// What the charts' Ingresses serve.
    pub sites: Vec<Site>,
    /// What each pod of a database lets in.
    pub passwords: BTreeMap<String, Secret>,
    /// Where visitors come in.
    pub address: IpAddr,
    node: String,
    version: u64,
}

impl Default for Api {
    fn default() -> Self {
        Self {
            objects: BTreeMap::new(),
            applied: BTreeMap::new(),
            secrets: BTreeMap::new(),
            releases: BTreeMap::new(),
            issued: Vec::new(),
            leaves: BTreeMap::new(),
            sites: Vec::new(),
            passwords: BTreeMap::new(),
            address: Ipv4Addr::new(203, 0, 113, 10).into(),
            node: "droplet".into(),
            version: 0,
        }
    }
}

impl Api {
    pub fn of(inventory: &Inventory) -> Self {
        let server = inventory.server().unwrap();
        let bare = Self::default();
        let address = server.visible_ip().unwrap_or(bare.address);
        Self { sites: inventory.sites.clone(), address, node: server.name.to_lowercase(), ..bare }
    }

    /// What k3s puts there when it first starts.
    pub fn start(&mut self) {
        for namespace in ["default", "kube-node-lease", "kube-system"] {
            self.put(json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace } }));
        }
        self.register(&self.node.clone(), &json!({}), &json!([]));
        for name in ["coredns", "traefik", "metrics-server"] {
            self.put(deployment("kube-system", name));
        }
        self.put(json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "traefik-0", "namespace": "kube-system",
            "labels": { "app.kubernetes.io/name": "traefik" } }, "status": { "phase": "Running", "podIP": "10.42.0.8" } }));
        self.put(json!({ "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": { "name": "local-path" } }));
        self.put(json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": "traefik", "namespace": "kube-system" },
            "spec": { "type": "LoadBalancer", "ports": [{ "port": 80, "nodePort": 30080, "protocol": "TCP" },
                { "port": 443, "nodePort": 30443, "protocol": "TCP" }] }, "status": { "loadBalancer": { "ingress": [{ "ip": self.address }] } } }));
        self.reconcile();
    }

    /// What kubelet makes of itself: labels and taints only once.
    pub fn register(&mut self, node: &str, labels: &Value, taints: &Value) {
        if self.objects.contains_key(&ObjectRef::new("v1", "Node", "", node)) {
            return;
        }
        self.put(json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": node, "labels": labels }, "spec": { "taints": taints },
            "status": { "conditions": [{ "type": "Ready", "status": "True" }], "nodeInfo": { "kubeletVersion": "v1.35.5+k3s1" } } }));
        self.put(json!({ "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": { "name": node, "namespace": "kube-node-lease" }, "spec": { "renewTime": "2100-01-01T00:00:00.000000Z" } }));
    }

    pub fn put(&mut self, body: Value) {
        if let Some(manifest) = Manifest::new(body) {
            let merged = merged(self.objects.get(manifest.object()), manifest.body());
            self.objects.insert(manifest.object().clone(), labelled(merged));
        }
    }

    pub fn answer(&self, question: &ApiQuestion) -> Answer {
        let reply = match question {
            ApiQuestion::Ready => Some(Reply::Text("ok".into())),
            ApiQuestion::Object(object) => self.objects.get(object).cloned().map(Reply::Object),
            ApiQuestion::List { of, selector } => Some(Reply::Objects(self.selected(of, selector))),
            ApiQuestion::Metadata { of, selector } => Some(Reply::Objects(self.metadata(of, selector))),
            ApiQuestion::Secret { namespace, name } => self.secrets.get(&(namespace.clone(), name.clone())).cloned().map(Reply::Secret),
            ApiQuestion::Release { namespace, name } => self.newest(namespace, name).map(|release| Reply::Release(Box::new(release))),
            ApiQuestion::Login { login, password } => return self.logs_in(login, password),
            // Each knows one.
            ApiQuestion::AnyPassword(_) => return Answer::Absent,
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

    fn selected(&self, of: &ObjectRef, selector: &str) -> Vec<Value> {
        self.list(of).into_iter().filter(|object| bears(&object["metadata"], selector)).collect()
    }

    /// Of those that a selector finds.
    fn metadata(&self, of: &ObjectRef, selector: &str) -> Vec<Value> {
        let secrets = self.secrets.iter().map(|((namespace, name), live)| {
            json!({ "namespace": namespace, "name": name, "labels": live.labels, "annotations": live.annotations })
        });
        let all: Vec<Value> = match of.kind.as_str() {
            "Secret" => secrets.chain(self.kept()).collect(),
            _ => self.list(of).into_iter().map(|mut object| object["metadata"].take()).collect(),
        };
        all.into_iter().filter(|metadata| bears(metadata, selector)).map(|metadata| json!({ "metadata": metadata })).collect()
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
    pub fn home(&self, namespace: &str) -> Result<(), Failure> {
        if namespace.is_empty() || self.objects.contains_key(&ObjectRef::new("v1", "Namespace", "", namespace)) {
            return Ok(());
        }
        Err(Failure::new(format!("write into {namespace}"), "namespace not found", ""))
    }

    /// It is its own CA.
    fn certificate(&mut self, wanted: &CertificateSpec) {
        let leaf = tls::leaf(OWN, &wanted.names);
        let data = [("tls.crt", &leaf.pem), ("tls.key", &leaf.key), ("ca.crt", &leaf.pem)];
        let data = data.map(|(key, text)| (key.to_owned(), Secret::new(text.clone()))).into();
        let (namespace, name, resource_version) = (wanted.namespace.clone(), wanted.name.clone(), wanted.resource_version.clone());
        let key = (namespace.clone(), name.clone());
        let annotations = BTreeMap::new();
        self.write(&SecretSpec { namespace, name, kind: SecretKind::Tls, data, annotations, resource_version });
        self.leaves.insert(key, leaf);
    }

    pub fn perform(&mut self, action: &ApiAction) -> Result<(), Failure> {
        match action {
            ApiAction::Apply(manifest) => {
                self.home(&manifest.object().namespace)?;
                let mut after = self.after(manifest);
                if manifest.object().kind == "Job" && after["metadata"].get("uid").is_none() {
                    after["metadata"]["uid"] = format!("{:0>8}-4a55-9d5e", self.tick()).into();
                }
                self.objects.insert(manifest.object().clone(), labelled(after));
                self.applied.insert(manifest.object().clone(), manifest.body().clone());
            }
            ApiAction::PutSecret(spec) => {
                self.home(&spec.namespace)?;
                self.write(spec);
            }
            ApiAction::MakeUp(spec, recipes) => {
                self.home(&spec.namespace)?;
                let mut spec = spec.clone();
                spec.data.extend(recipes.keys().map(|key| (key.clone(), Secret::new(format!("made up as {}", self.version)))));
                self.write(&spec);
            }
            ApiAction::CreateKeyPair { namespace, name, kind } => {
                self.home(namespace)?;
                let version = self.tick();
                let (private, public) = key_pair(*kind, self.version);
                let data =
                    [("jwt_private.pem", private), ("jwt_public.pem", public)].map(|(name, text)| (name.to_owned(), Secret::new(text)));
                let made = ours(version.clone(), data.into(), [("bedplate.dev/kid".to_owned(), version)].into());
                self.secrets.entry((namespace.clone(), name.clone())).or_insert(made);
            }
            ApiAction::AddKeyPair { namespace, name, kind, resource_version, .. } => {
                let (private, _) = key_pair(*kind, self.version + 1);
                let live = self.secrets.get(&(namespace.clone(), name.clone()));
                if let Some(live) = live.filter(|live| live.resource_version == *resource_version) {
                    let mut data = live.data.clone();
                    data.insert("jwt_next_private.pem".into(), Secret::new(private));
                    let (namespace, name, resource_version) = (namespace.clone(), name.clone(), Some(resource_version.clone()));
                    let annotations = BTreeMap::new();
                    self.write(&SecretSpec { namespace, name, kind: SecretKind::Opaque, data, annotations, resource_version });
                }
            }
            ApiAction::CreateCertificate(wanted) => {
                self.home(&wanted.namespace)?;
                self.certificate(wanted);
            }
            ApiAction::Restart(restart) => {
                let Some(live) = self.objects.get_mut(&restart.workload) else {
                    return Err(Failure::new("restart it", "there is none", ""));
                };
                let template = json!({ "metadata": { "annotations": { Restart::annotation(&restart.reads): restart.revision } } });
                *live = merged(Some(live), &json!({ "spec": { "template": template } }));
            }
            ApiAction::Renew { namespace, name } => self.renew(namespace, name),
            ApiAction::Rotate(action) => self.rotate(action)?,
            ApiAction::Delete(object) => self.delete(object),
        }
        Ok(())
    }

    /// A namespace takes along all that lies in it.
    pub fn delete(&mut self, object: &ObjectRef) {
        self.objects.remove(object);
        self.applied.remove(object);
        if object.kind == "Secret" {
            self.secrets.remove(&(object.namespace.clone(), object.name.clone()));
        }
        if object.kind == "Namespace" {
            self.objects.retain(|other, _| other.namespace != object.name);
            self.applied.retain(|other, _| other.namespace != object.name);
            self.secrets.retain(|(namespace, _), _| *namespace != object.name);
            self.releases.retain(|(namespace, _), _| *namespace != object.name);
        }
    }

    pub fn tick(&mut self) -> String {
        self.version += 1;
        self.version.to_string()
    }

    /// A Secret that is not the one of the plan stays as it is.
    fn write(&mut self, spec: &SecretSpec) {
        let key = (spec.namespace.clone(), spec.name.clone());
        let live = self.secrets.get(&key).cloned();
        let kept = live.as_ref().map(|live| live.annotations.clone()).unwrap_or_default();
        let mut annotations = kept.clone();
        for (name, value) in &spec.annotations {
            match value {
                Some(value) => drop(annotations.insert(name.clone(), value.clone())),
                None => drop(annotations.remove(name)),
            }
        }
        let same = live.as_ref().is_some_and(|live| live.data == spec.data);
        let is_ours = live.as_ref().is_some_and(|live| !live.labels.is_empty());
        let planned = live.as_ref().map(|live| &live.resource_version) == spec.resource_version.as_ref();
        if !planned || (same && is_ours && annotations == kept) {
            return;
        }
        let version = self.tick();
        if !same {
            let first = if live.is_some() { "" } else { "first-" };
            annotations.insert("bedplate.dev/revision".into(), format!("{first}{version}"));
        }
        let kind = live.map_or_else(|| spec.kind.name().to_owned(), |live| live.kind);
        let written = LiveSecret { kind, ..ours(version, spec.data.clone(), annotations) };
        self.secrets.insert(key, written);
    }
}

/// The API server gives every namespace its name as a label.
fn labelled(mut object: Value) -> Value {
    if object["kind"] == "Namespace" {
        object["metadata"]["labels"]["kubernetes.io/metadata.name"] = object["metadata"]["name"].clone();
    }
    object
}

/// Whether a selector `key=value` finds it.
fn bears(metadata: &Value, selector: &str) -> bool {
    selector.split_once('=').is_none_or(|(key, value)| metadata["labels"][key] == value)
}

fn ours(version: String, data: BTreeMap<String, Secret>, annotations: BTreeMap<String, String>) -> LiveSecret {
    let labels = [("app.kubernetes.io/managed-by".to_owned(), "bedplate".to_owned())].into();
    LiveSecret { resource_version: version, labels, ..secret(data, annotations) }
}

pub fn secret(data: BTreeMap<String, Secret>, annotations: BTreeMap<String, String>) -> LiveSecret {
    LiveSecret { resource_version: "1".into(), kind: "Opaque".into(), created: 0, labels: BTreeMap::new(), annotations, data }
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
pub fn merged(live: Option<&Value>, declared: &Value) -> Value {
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
