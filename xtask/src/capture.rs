//! What a host's API server has of a namespace's certificates, as the answers of a golden case: a line an answer, ready to be pasted.

use anyhow::{Context, Result};
use serde_json::Value;
use toml::Table;

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

/// Prints them. Secrets are none of them; what differs from run to run and says nothing is left out.
pub fn capture(host: &str, namespace: &str) -> Result<()> {
    let host = Host::named(&Place::here()?, host)?;
    for (version, kind, own) in KINDS {
        let resource = match version.split_once('/') {
            Some((group, version)) => format!("{kind}.{version}.{group}"),
            None => kind.to_owned(),
        };
        let scope = if own { format!("--namespace={namespace}") } else { "--all-namespaces".into() };
        let listed = run(host.exec()?.args(["k3s", "kubectl", "get", &resource, &scope, "--output=json"]))?;
        let mut listed: Value = serde_json::from_str(&listed)?;
        let objects = listed["items"].take();
        println!("    {},", answer(version, kind, own.then_some(namespace), objects)?);
    }
    Ok(())
}

fn answer(version: &str, kind: &str, namespace: Option<&str>, mut objects: Value) -> Result<String> {
    for object in objects.as_array_mut().context("a list has items")? {
        plain(object);
    }
    let mut of = Table::from_iter([("apiVersion".to_owned(), version.into()), ("kind".to_owned(), kind.into())]);
    of.extend(namespace.map(|namespace| ("namespace".to_owned(), namespace.into())));
    let question = serde_json::json!({ "api": { "list": { "of": of, "selector": "" } } });
    let pair = serde_json::json!([question, { "present": { "objects": objects } }]);
    Ok(toml::Value::try_from(pair)?.to_string())
}

/// Bookkeeping, and blobs in which nobody looks for a cause.
const NOISE: [&str; 6] =
    ["managedFields", "resourceVersion", "kubectl.kubernetes.io/last-applied-configuration", "request", "caBundle", "extra"];

/// Without noise, and without null, which TOML has not.
fn plain(value: &mut Value) {
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
    use super::*;

    #[test]
    fn an_answer_is_a_line_of_a_case() {
        let pods = serde_json::json!([{ "metadata": { "name": "a", "resourceVersion": "7", "deletionTimestamp": null } }]);
        let line = answer("v1", "Pod", Some("shop"), pods).unwrap();
        assert!(!line.contains('\n') && !line.contains("resourceVersion") && !line.contains("deletionTimestamp"), "{line}");
        let read: Table = format!("answers = [{line}]").parse().unwrap();
        assert_eq!(read["answers"][0][0]["api"]["list"]["of"]["namespace"].as_str(), Some("shop"));
        assert_eq!(read["answers"][0][1]["present"]["objects"][0]["metadata"]["name"].as_str(), Some("a"));
    }
}
