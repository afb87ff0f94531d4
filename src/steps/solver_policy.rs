//! Lets Traefik reach cert-manager's HTTP-01 solvers where a default-deny policy would answer 502 (S3-81). It stays for ever: without it
//! the renewal fails silently, two months later (S3-77).

use std::collections::BTreeSet;

use serde_json::json;

use crate::inventory::Inventory;
use crate::model::{ApiQuestion, Manifest, Missing, ObjectRef, Planned, Question, Scope, Step, StepId, View};

use super::acme_site::AcmeSite;
use super::drift;
use super::ours;

/// The policy's name in each namespace.
pub(super) const NAME: &str = "bedplate-acme-solver";

struct SolverPolicy {
    namespaces: BTreeSet<String>,
}

/// One step for every namespace that holds a certificate by ACME.
pub(super) fn steps(inventory: &Inventory) -> Vec<Box<dyn Step>> {
    let namespaces = namespaces(inventory);
    if namespaces.is_empty() {
        return Vec::new();
    }
    vec![Box::new(SolverPolicy { namespaces })]
}

/// All that bear our label.
pub(super) fn objects(inventory: &Inventory) -> impl Iterator<Item = ObjectRef> {
    namespaces(inventory).into_iter().map(|namespace| ObjectRef::new("networking.k8s.io/v1", "NetworkPolicy", &namespace, NAME))
}

fn namespaces(inventory: &Inventory) -> BTreeSet<String> {
    AcmeSite::all(inventory).map(|site| site.carrier.namespace().to_owned()).collect()
}

impl SolverPolicy {
    fn manifests(&self) -> Result<Vec<Manifest>, Missing> {
        let one = |namespace| ours::manifest("solver-policy.yaml", &json!({ "name": NAME, "namespace": namespace }));
        self.namespaces.iter().map(one).collect()
    }
}

impl Step for SolverPolicy {
    fn id(&self) -> StepId {
        StepId::of("solver-policy")
    }

    fn scope(&self) -> Scope {
        Scope::Cluster
    }

    fn questions(&self, _: &View<'_>) -> Vec<Question> {
        self.manifests().unwrap_or_default().into_iter().map(|manifest| Question::Api(ApiQuestion::DryRun(manifest))).collect()
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        drift::mend(self.manifests()?.iter(), seen)
    }
}
