//! Lets Traefik reach cert-manager's HTTP-01 solvers where a default-deny policy would answer 502 (S3-81). It stays for ever: without it
//! the renewal fails silently, two months later (S3-77).

use std::collections::BTreeSet;

use serde_json::{Map, json};

use crate::inventory::Inventory;
use crate::model::{ApiQuestion, Manifest, Missing, ObjectRef, Planned, Question, Scope, Step, StepId, View};

use super::acme_site::AcmeSite;
use super::drift;

/// The policy's name in each namespace.
pub(super) const NAME: &str = "bedplate-acme-solver";

struct SolverPolicy {
    manifests: Vec<Manifest>,
}

/// One step for every namespace that holds a certificate by ACME.
pub(super) fn steps(inventory: &Inventory) -> Vec<Box<dyn Step>> {
    let namespaces: BTreeSet<String> = AcmeSite::all(inventory).map(|site| site.carrier.namespace().to_owned()).collect();
    if namespaces.is_empty() {
        return Vec::new();
    }
    vec![Box::new(SolverPolicy { manifests: namespaces.iter().map(|namespace| manifest(namespace)).collect() })]
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
        drift::mend(self.manifests.iter(), seen)
    }
}
