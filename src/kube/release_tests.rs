use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use super::*;

fn packed(json: &[u8]) -> String {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(json).unwrap();
    STANDARD.encode(STANDARD.encode(gzip.finish().unwrap()))
}

#[test]
fn a_release_is_unpacked_as_helm_packs_it() {
    let release = json!({
        "name": "shop", "version": 3, "info": { "status": "deployed" },
        "chart": { "metadata": { "name": "shop", "version": "0.3.1" }, "templates": [] },
        "config": { "tls": { "issuer": "letsencrypt-staging" } },
        "manifest": "---\nkind: ConfigMap\n",
    });
    let stored = unpack(&packed(release.to_string().as_bytes())).unwrap();
    assert_eq!(stored.chart.metadata.version, "0.3.1");
    assert_eq!(stored.config.unwrap()["tls"]["issuer"], "letsencrypt-staging");
    assert_eq!(stored.manifest, "---\nkind: ConfigMap\n");
}

#[test]
fn a_release_without_values_has_none() {
    let stored = unpack(&packed(br#"{"chart":{"metadata":{"version":"1"}},"config":null}"#)).unwrap();
    assert!(stored.config.is_none());
    assert_eq!(stored.manifest, "");
}

#[test]
fn what_helm_did_not_write_is_refused_without_quoting_it() {
    let told = |encoded: &str| unpack(encoded).err().unwrap();
    assert_eq!(told("!"), "its data is not base64");
    assert_eq!(told(&STANDARD.encode("!")), "its release is not base64");
    assert_eq!(told(&STANDARD.encode(STANDARD.encode("hunter2"))), "its release is not gzip");
    assert_eq!(told(&packed(br#"{"chart":"hunter2"}"#)), "its release is not what helm writes");
}

const MANIFEST: &str = r#"---
# Source: shop/templates/config.yaml
apiVersion: v1
kind: ConfigMap
metadata:
  name: web
data:
  quoted: "0444"
---
# Source: shop/templates/secret.yaml
apiVersion: v1
kind: Secret
metadata: { name: hidden }
---
# Source: shop/templates/empty.yaml
---
apiVersion: v1
kind: List
items:
- apiVersion: apps/v1
  kind: Deployment
  metadata: { name: web, namespace: other }
  spec: { defaultMode: 0444, replicas: 2, on: yes }
"#;

#[test]
fn a_manifest_becomes_objects_without_its_secrets() {
    let found = objects(MANIFEST).unwrap();
    assert_eq!(
        found,
        [
            json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "web" }, "data": { "quoted": "0444" } }),
            json!({
                "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "web", "namespace": "other" },
                "spec": { "defaultMode": 292, "replicas": 2, "on": true },
            }),
        ]
    );
}

#[test]
fn an_empty_manifest_has_no_objects() {
    assert_eq!(objects("").unwrap(), Vec::<Value>::new());
    assert_eq!(objects("---\n# nothing\n").unwrap(), Vec::<Value>::new());
}

#[test]
fn a_revision_is_read_from_labels() {
    let item = json!({ "metadata": {
        "name": "sh.helm.release.v1.shop.v12",
        "labels": { "name": "shop", "owner": "helm", "status": "pending-upgrade", "version": "12", "bedplate.dev/chart": "ab12.12",
            "createdAt": "1800000100", "modifiedAt": "1800000000" },
    }});
    let revision = Revision::read(&item).unwrap();
    assert_eq!((revision.number, revision.status.as_str(), revision.chart.as_str()), (12, "pending-upgrade", "ab12"));
    assert_eq!(revision.changed, 1_800_000_100);
    let carried =
        json!({ "metadata": { "name": "x", "labels": { "status": "deployed", "version": "13", "bedplate.dev/chart": "ab12.12" } } });
    let carried = Revision::read(&carried).unwrap();
    assert_eq!((carried.chart.as_str(), carried.foreign), ("", false), "a colleague's helm made it, of a release of ours");
    let other = json!({ "metadata": { "name": "x", "labels": { "status": "deployed", "version": "1" } } });
    assert!(Revision::read(&other).unwrap().foreign);
    assert!(Revision::read(&json!({ "metadata": { "name": "x", "labels": { "version": "1" } } })).is_none());
}
