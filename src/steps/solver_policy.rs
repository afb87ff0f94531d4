//! Lets Traefik reach cert-manager's HTTP-01 solvers where a default-deny policy would answer 502 (S3-81). It stays for ever: without it
//! the renewal fails silently, two months later (S3-77).

use std::collections::BTreeSet;

use serde_json::{Map, json};

use crate::inventory::{Inventory, Tls};
use crate::model::{
    Action, ApiAction, ApiQuestion, Manifest, Missing, ObjectRef, Planned, Question, Scope, Step, StepId, View,
};

use super::drift;

/// The policy's name in each namespace.
pub(super) const NAME: &str = "bedplate-acme-solver";

struct SolverPolicy {
    manifests: Vec<Manifest>,
}

/// One step for every namespace that holds a certificate by ACME.
pub(super) fn steps(inventory: &Inventory) -> Vec<Box<dyn Step>> {
    let releases: BTreeSet<&str> =
        inventory.sites.iter().filter(|site| site.tls == Tls::Acme).map(|site| site.release.as_str()).collect();
    let namespaces: BTreeSet<&str> = inventory
        .releases
        .iter()
        .filter(|release| releases.contains(release.name.as_str()))
        .map(|release| release.namespace.as_str())
        .collect();
    if namespaces.is_empty() {
        return Vec::new();
    }
    vec![Box::new(SolverPolicy { manifests: namespaces.into_iter().map(manifest).collect() })]
}

/// Label and port are cert-manager's (contract §3.5); the source is the namespace in which k3s runs Traefik.
fn manifest(namespace: &str) -> Manifest {
    let spec = json!({
        "podSelector": { "matchLabels": { "acme.cert-manager.io/http01-solver": "true" } },
        "policyTypes": ["Ingress"],
        "ingress": [{
            "from": [{ "namespaceSelector": { "matchLabels": { "kubernetes.io/metadata.name": "kube-system" } } }],
            "ports": [{ "protocol": "TCP", "port": 8089 }],
        }],
    });
    let object = ObjectRef::new("networking.k8s.io/v1", "NetworkPolicy", namespace, NAME);
    Manifest::ours(object, Map::from_iter([("spec".to_owned(), spec)]))
}

impl Step for SolverPolicy {
    fn id(&self) -> StepId {
        StepId::of("solver_policy")
    }

    fn scope(&self) -> Scope {
        Scope::Cluster
    }

    fn questions(&self, _: &View<'_>) -> Vec<Question> {
        self.manifests.iter().map(|manifest| Question::Api(ApiQuestion::DryRun(manifest.clone()))).collect()
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        let (mut actions, mut reasons) = (Vec::new(), Vec::new());
        for manifest in &self.manifests {
            let differences = drift::differences(manifest.object(), seen.dry_run(manifest)?);
            if !differences.is_empty() {
                reasons.extend(differences);
                actions.push(Action::Api(ApiAction::Apply(manifest.clone())));
            }
        }
        Ok(Planned::act(actions, reasons))
    }
}
