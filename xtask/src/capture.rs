//! What a host's API server has of a namespace's certificates, as the answers of a golden case: a line an answer, ready to be pasted.

use anyhow::{Context, Result};
use serde_json::Value;

use crate::rig::{Host, Place};
use crate::run::run;

/// API version, kind, and whether only those of the namespace are meant. The order is the chain's.
const KINDS: [(&str, &str, bool); 11] = [
    ("networking.k8s.io/v1", "Ingress", true),
    ("cert-manager.io/v1", "Certificate", true),
    ("cert-manager.io/v1", "CertificateRequest", true),
    ("acme.cert-manager.io/v1", "Order", true),
    ("acme.cert-manager.io/v1", "Challenge", true),
    ("v1", "Pod", true),
    ("cert-manager.io/v1", "ClusterIssuer", false),
    ("networking.k8s.io/v1", "IngressClass", false),
    ("networking.k8s.io/v1", "NetworkPolicy", false),
    ("v1", "ResourceQuota", true),
    ("v1", "LimitRange", true),
];

/// What the API server had of one kind.
pub struct Dump {
    version: &'static str,
    kind: &'static str,
    /// Whose objects alone; none: everybody's.
    namespace: Option<String>,
    /// As they are, but for what says nothing.
    pub objects: Vec<Value>,
}

/// Prints them.
pub fn capture(host: &str, namespace: &str) -> Result<()> {
    for dump in dumps(&Host::named(&Place::here()?, host)?, namespace)? {
        println!("{}", dump.line()?);
    }
    Ok(())
}

/// All kinds. Secrets are none of them; what differs from run to run and says nothing is left out.
pub fn dumps(host: &Host, namespace: &str) -> Result<Vec<Dump>> {
    let mut objects = listed(host, Some(namespace))?;
    objects.extend(listed(host, None)?);
    objects.iter_mut().for_each(plain);
    let dump = |(version, kind, own): (&'static str, &'static str, bool)| {
        let of_this = |object: &mut Value| object["apiVersion"] == *version && object["kind"] == *kind;
        Dump { version, kind, namespace: own.then(|| namespace.to_owned()), objects: objects.extract_if(.., of_this).collect() }
    };
    Ok(KINDS.into_iter().map(dump).collect())
}

/// A namespace's objects, or of the other kinds everybody's.
fn listed(host: &Host, namespace: Option<&str>) -> Result<Vec<Value>> {
    let resource = |(version, kind, _): (&str, &str, bool)| match version.split_once('/') {
        Some((group, version)) => format!("{kind}.{version}.{group}"),
        None => kind.to_owned(),
    };
    let resources: Vec<String> = KINDS.into_iter().filter(|(.., own)| *own == namespace.is_some()).map(resource).collect();
    let scope = namespace.map_or("--all-namespaces".into(), |namespace| format!("--namespace={namespace}"));
    let listed = run(host.exec()?.args(["k3s", "kubectl", "get", &resources.join(","), &scope, "--output=json"]))?;
    let mut listed: Value = serde_json::from_str(&listed)?;
    Ok(listed["items"].as_array_mut().context("a list has items")?.drain(..).collect())
}

impl Dump {
    /// What a step asks to have these.
    pub fn question(&self) -> Value {
        let mut of = serde_json::json!({ "apiVersion": self.version, "kind": self.kind });
        if let Some(namespace) = &self.namespace {
            of["namespace"] = namespace.as_str().into();
        }
        serde_json::json!({ "api": { "list": { "of": of, "selector": "" } } })
    }

    /// As a line of a case.
    pub fn line(&self) -> Result<String> {
        let pair = serde_json::json!([self.question(), { "present": { "objects": self.objects } }]);
        Ok(format!("    {},", toml::Value::try_from(pair)?))
    }
}

/// Bookkeeping, and blobs in which nobody looks for a cause.
const NOISE: [&str; 7] = [
    "managedFields",
    "resourceVersion",
    "kubectl.kubernetes.io/last-applied-configuration",
    "request",
    "caBundle",
    "extra",
    "lastPrivateKeyHash",
];

/// Without noise, and without null, which TOML has not.
pub fn plain(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, value| !value.is_null() && !NOISE.contains(&name.as_str()));
            fields.values_mut().for_each(plain);
        }
        Value::Array(items) => items.iter_mut().for_each(plain),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use toml::Table;

    use super::*;

    #[test]
    fn a_dump_is_a_line_of_a_case() {
        let mut pod = serde_json::json!({ "metadata": { "name": "a", "resourceVersion": "7", "deletionTimestamp": null } });
        plain(&mut pod);
        let pods = Dump { version: "v1", kind: "Pod", namespace: Some("shop".into()), objects: vec![pod] };
        let line = pods.line().unwrap();
        assert!(!line.contains('\n') && !line.contains("resourceVersion") && !line.contains("deletionTimestamp"), "{line}");
        let read: Table = format!("answers = [{line}]").parse().unwrap();
        assert_eq!(read["answers"][0][0]["api"]["list"]["of"]["namespace"].as_str(), Some("shop"));
        assert_eq!(read["answers"][0][1]["present"]["objects"][0]["metadata"]["name"].as_str(), Some("a"));
    }
}
