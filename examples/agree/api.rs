//! What is done to the API server of a converged host: all of it in a namespace of its own, which is gone at the end.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use bedplate::engine::Ground;
use bedplate::model::{
    Action, ApiAction, ApiQuestion, CertificateSpec, Failure, FileKind, HostAction, KeyKind, Manifest, ObjectRef, OutsideQuestion,
    Question, Restart, Secret, SecretKind, SecretSpec, UnitChange,
};
use serde_json::{Value, json};

use crate::twins::{LIVE, Twins};

const SPACE: &str = "agree";
/// The rig's first host, and the fake's.
const HOST: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);
/// Of the ingress, the API server and kubelet; of an etcd that is not there.
const PORTS: [u16; 4] = [80, 6443, 10250, 2379];

pub async fn agree(twins: &mut Twins<'_>) -> Result<(), Failure> {
    start(twins).await?;
    let questions = questions()?;
    twins.compare("nothing", &questions).await?;
    for action in actions()? {
        twins.perform(&Action::Api(action), &questions).await?;
    }
    Ok(())
}

/// The real host runs k3s already; so must the fake.
async fn start(twins: &Twins<'_>) -> Result<(), Failure> {
    twins.fake.with(|world| {
        for path in ["/usr/local/bin/k3s", "/etc/systemd/system/k3s.service"] {
            world.host(&twins.server).put(path, FileKind::File, Vec::new(), 0o755, (0, 0));
        }
    });
    let start = twins.act(HostAction::Unit { unit: "k3s".into(), change: UnitChange::Start });
    twins.fake.perform(&start, &|_, _| {}).await.map(drop)
}

fn questions() -> Result<Vec<Question>, Failure> {
    let mut questions = vec![ApiQuestion::Ready];
    for body in [namespace(), policy(Some(8089)), policy(Some(8090)), policy(None), workload(None)] {
        questions.push(ApiQuestion::DryRun(manifest(body)?));
    }
    for body in widest() {
        questions.push(ApiQuestion::Object(manifest(body)?.object().clone()));
    }
    for name in ["env", "keys", "tls"] {
        questions.push(ApiQuestion::Secret { namespace: SPACE.into(), name: name.into() });
    }
    let knocks = PORTS.map(|port| Question::Outside(OutsideQuestion::Knock { address: HOST.into(), port }));
    Ok(questions.into_iter().map(Question::Api).chain(knocks).collect())
}

fn actions() -> Result<Vec<ApiAction>, Failure> {
    let both: &[(&str, &str)] = &[("ONE", "1"), ("TWO", "2")];
    let apply = |body| manifest(body).map(ApiAction::Apply);
    let delete = |body| manifest(body).map(|manifest| ApiAction::Delete(manifest.object().clone()));
    let pair = || ApiAction::CreateKeyPair { namespace: SPACE.into(), name: "keys".into(), kind: KeyKind::Rs256 { bits: 2048 } };
    let reader = ObjectRef::new("apps/v1", "Deployment", SPACE, "reader");
    let restart = |revision: &str| ApiAction::Restart(Restart { workload: reader.clone(), reads: "env".into(), revision: revision.into() });
    let certificate = |version: Option<&str>| {
        ApiAction::CreateCertificate(CertificateSpec {
            namespace: SPACE.into(),
            name: "tls".into(),
            names: vec!["home.local".into()],
            resource_version: version.map(str::to_owned),
        })
    };
    let old = SecretSpec { resource_version: Some("0".into()), ..spec(&[("ONE", "old")], None) };
    Ok(vec![
        // There is no such namespace yet.
        apply(policy(Some(8089)))?,
        ApiAction::PutSecret(spec(both, None)),
        pair(),
        apply(namespace())?,
        apply(policy(Some(8089)))?,
        apply(policy(Some(8089)))?,
        apply(policy(Some(8090)))?,
        // A field of ours that is declared no more goes.
        apply(policy(None))?,
        ApiAction::PutSecret(spec(both, None)),
        // One that has come into being since the plan stays.
        ApiAction::PutSecret(spec(&[("ONE", "new")], None)),
        ApiAction::PutSecret(spec(both, Some(LIVE))),
        ApiAction::PutSecret(spec(&[("ONE", "1"), ("TWO", "two")], Some(LIVE))),
        ApiAction::PutSecret(old),
        ApiAction::PutSecret(spec(&[("TWO", "two")], Some(LIVE))),
        pair(),
        pair(),
        certificate(None),
        // One that has come into being since the plan stays; the one of the plan is replaced.
        certificate(None),
        certificate(Some(LIVE)),
        delete(policy(None))?,
        delete(policy(None))?,
        // One that is not there is not made.
        restart("1"),
        apply(workload(None))?,
        // No drift comes of it.
        restart("1"),
        restart("1"),
        restart("2"),
        delete(namespace())?,
    ])
}

pub fn namespace() -> Value {
    json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": SPACE, "labels": { "made-by": "agree" } } })
}

/// With a rule for that port, or without any.
fn policy(port: Option<u16>) -> Value {
    let mut spec = json!({ "podSelector": {}, "policyTypes": ["Ingress"] });
    if let Some(port) = port {
        spec["ingress"] = json!([{ "ports": [{ "port": port, "protocol": "TCP" }] }]);
    }
    let metadata = json!({ "name": "door", "namespace": SPACE });
    json!({ "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec })
}

/// With a revision that a restart put there, or as it is applied. Paused, so that no controller writes to it meanwhile.
fn workload(revision: Option<&str>) -> Value {
    let mut template = json!({ "metadata": { "labels": { "app": "reader" } }, "spec": { "containers": [{ "name": "a", "image": "a" }] } });
    if let Some(revision) = revision {
        template["metadata"]["annotations"] = json!({ Restart::annotation("env"): revision });
    }
    let spec = json!({ "paused": true, "replicas": 0, "selector": { "matchLabels": { "app": "reader" } }, "template": template });
    json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "reader", "namespace": SPACE }, "spec": spec })
}

/// All objects, each with every field that some action declares.
pub fn widest() -> [Value; 3] {
    [namespace(), policy(Some(8089)), workload(Some("1"))]
}

pub fn manifest(body: Value) -> Result<Manifest, Failure> {
    Manifest::new(body).ok_or_else(|| Failure::new("make an object", "it lacks a name or a kind", "mend examples/agree"))
}

fn spec(data: &[(&str, &str)], version: Option<&str>) -> SecretSpec {
    SecretSpec {
        namespace: SPACE.into(),
        name: "env".into(),
        kind: SecretKind::Opaque,
        data: data.iter().map(|(key, value)| ((*key).to_owned(), Secret::new(*value))).collect(),
        annotations: BTreeMap::new(),
        resource_version: version.map(str::to_owned),
    }
}
