//! What controllers make of the objects: rollouts, issuers that are ready, and a cert-manager that issues at once.

use bedplate::model::{LiveSecret, ObjectRef, Secret};
use serde_json::{Value, json};

use super::api::{Api, merged, secret};
use super::tls;

/// The annotation that ingress-shim follows.
pub const ISSUER: &str = "cert-manager.io/cluster-issuer";

impl Api {
    /// Until nothing differs.
    pub fn reconcile(&mut self) {
        let kinds: Vec<ObjectRef> = self.objects.keys().cloned().collect();
        for object in &kinds {
            match object.kind.as_str() {
                "Deployment" => self.roll_out(object),
                "Job" => self.run(object),
                "ClusterIssuer" => self.status(object, json!({ "conditions": [{ "type": "Ready", "status": "True" }] })),
                _ => {}
            }
        }
        self.collect();
        if self.objects.contains_key(&ObjectRef::new("apps/v1", "Deployment", "cert-manager", "cert-manager")) {
            self.certify();
        }
    }

    /// A Job's pod, which runs at once and for as long as the Job is there.
    fn run(&mut self, object: &ObjectRef) {
        let job = &self.objects[object];
        let labels = &job["spec"]["template"]["metadata"]["labels"];
        let owner = json!([{ "apiVersion": "batch/v1", "kind": "Job", "name": object.name, "uid": job["metadata"]["uid"] }]);
        let metadata = json!({ "name": format!("{}-{}", object.name, job["metadata"]["uid"].as_str().unwrap_or_default()),
            "namespace": object.namespace, "labels": labels, "ownerReferences": owner });
        self.put(json!({ "apiVersion": "v1", "kind": "Pod", "metadata": metadata, "status": { "phase": "Running" } }));
    }

    /// What has lost its owner goes.
    fn collect(&mut self) {
        let alive: Vec<Value> = self.objects.values().map(|body| body["metadata"]["uid"].clone()).filter(|uid| !uid.is_null()).collect();
        let lost: Vec<ObjectRef> = self
            .objects
            .iter()
            .filter(|(_, body)| {
                let owners = body["metadata"]["ownerReferences"].as_array();
                owners.is_some_and(|owners| owners.iter().all(|owner| !alive.contains(&owner["uid"])))
            })
            .map(|(object, _)| object.clone())
            .collect();
        lost.iter().for_each(|object| self.delete(object));
    }

    fn status(&mut self, object: &ObjectRef, status: Value) {
        if let Some(body) = self.objects.get_mut(object) {
            body["status"] = status;
        }
    }

    fn roll_out(&mut self, object: &ObjectRef) {
        let replicas = self.objects[object]["spec"]["replicas"].as_i64().unwrap_or(1);
        let count = json!({ "replicas": replicas, "updatedReplicas": replicas, "availableReplicas": replicas, "readyReplicas": replicas,
            "conditions": [{ "type": "Available", "status": "True" }] });
        self.status(object, count);
    }

    /// ingress-shim keeps a Certificate for each Ingress that asks for one; every Certificate gets its Secret.
    fn certify(&mut self) {
        let wanted: Vec<Value> =
            self.objects.iter().filter(|(object, _)| object.kind == "Ingress").filter_map(|(_, body)| certificate(body)).collect();
        let named = |object: &ObjectRef| {
            wanted.iter().any(|body| body["metadata"]["name"] == object.name && body["metadata"]["namespace"] == object.namespace)
        };
        self.objects.retain(|object, _| object.kind != "Certificate" || named(object));
        for body in wanted {
            self.put(body);
        }
        let certificates: Vec<Value> =
            self.objects.iter().filter(|(object, _)| object.kind == "Certificate").map(|(_, body)| body.clone()).collect();
        for body in certificates {
            self.issue(&body);
        }
    }

    /// What lies in the certificate's Secret does not count any more.
    pub fn renew(&mut self, namespace: &str, name: &str) {
        let certificate = self.objects.get(&ObjectRef::new("cert-manager.io/v1", "Certificate", namespace, name));
        let secret = certificate.and_then(|body| body["spec"]["secretName"].as_str()).map(str::to_owned);
        secret.and_then(|secret| self.leaves.remove(&(namespace.to_owned(), secret)));
    }

    /// A certificate of that issuer, unless the Secret has one already.
    fn issue(&mut self, certificate: &Value) {
        let text = |pointer: &str| certificate.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (issuer, key) = (text("/spec/issuerRef/name"), (text("/metadata/namespace"), text("/spec/secretName")));
        let names: Vec<String> =
            certificate["spec"]["dnsNames"].as_array().into_iter().flatten().filter_map(|name| Some(name.as_str()?.to_owned())).collect();
        let kept = self.secrets.get(&key).and_then(|live| live.annotations.get("cert-manager.io/issuer-name"));
        let same = kept == Some(&issuer) && self.leaves.get(&key).is_some_and(|leaf| leaf.names == names);
        if same || !self.objects.contains_key(&ObjectRef::new("cert-manager.io/v1", "ClusterIssuer", "", &issuer)) {
            return;
        }
        let leaf = tls::leaf(&issuer, &names);
        self.issued.push((key.1.clone(), issuer.clone()));
        let data = [("tls.crt".to_owned(), Secret::new(leaf.pem.clone())), ("tls.key".to_owned(), Secret::new("key"))].into();
        let annotations = [("cert-manager.io/issuer-name".to_owned(), issuer)].into();
        self.secrets.insert(key.clone(), LiveSecret { kind: "kubernetes.io/tls".into(), ..secret(data, annotations) });
        self.leaves.insert(key, leaf);
    }
}

/// What an Ingress asks for, as ingress-shim writes it.
fn certificate(ingress: &Value) -> Option<Value> {
    let issuer = ingress["metadata"]["annotations"][ISSUER].as_str()?;
    let tls = ingress["spec"]["tls"].get(0)?;
    let body = json!({ "apiVersion": "cert-manager.io/v1", "kind": "Certificate",
        "metadata": { "name": tls["secretName"], "namespace": ingress["metadata"]["namespace"] },
        "spec": { "secretName": tls["secretName"], "dnsNames": tls["hosts"], "issuerRef": { "name": issuer, "kind": "ClusterIssuer" } } });
    Some(merged(
        Some(&body),
        &json!({ "status": { "conditions": [{ "type": "Ready", "status": "True" }], "renewalTime": "2030-01-01T00:00:00Z" } }),
    ))
}
