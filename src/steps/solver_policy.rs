//! Lets Traefik reach cert-manager's HTTP-01 solvers where a default-deny policy would answer 502. It stays for ever: without it
//! the renewal fails silently, two months later. So does the question whether challenges get through all the policies that live.

pub(super) mod effect;

use std::collections::BTreeSet;

use serde_json::json;

use crate::inventory::Inventory;
use crate::model::{ApiQuestion, Finding, Manifest, Missing, Note, ObjectRef, Plan, Planned, Question, Scope, Step, StepId, View};

use super::acme_site::AcmeSite;
use super::drift;
use super::object::text;
use super::ours;
use super::traefik;
use effect::Ways;

/// The policy's name in each namespace.
pub(super) const NAME: &str = "bedplate-acme-solver";

struct SolverPolicy {
    namespaces: BTreeSet<String>,
    ways: Ways,
}

/// One step for every namespace that holds a certificate by ACME.
pub(super) fn steps(inventory: &Inventory) -> Vec<Box<dyn Step>> {
    let namespaces = namespaces(inventory);
    if namespaces.is_empty() {
        return Vec::new();
    }
    vec![Box::new(SolverPolicy { namespaces, ways: Ways::of(inventory) })]
}

/// All that bear our label.
pub(super) fn objects(inventory: &Inventory) -> impl Iterator<Item = ObjectRef> {
    namespaces(inventory).into_iter().map(|namespace| ObjectRef::new("networking.k8s.io/v1", "NetworkPolicy", &namespace, NAME))
}

fn namespaces(inventory: &Inventory) -> BTreeSet<String> {
    AcmeSite::all(inventory).map(|site| site.carrier.namespace().to_owned()).collect()
}

impl SolverPolicy {
    fn manifests(&self, seen: &View<'_>) -> Result<Vec<Manifest>, Missing> {
        let homes = homes(seen)?;
        let one = |namespace| ours::manifest("solver-policy.yaml", &json!({ "name": NAME, "namespace": namespace, "homes": homes }));
        self.namespaces.iter().map(one).collect()
    }

    /// What keeps a challenge from getting through, be it ours to mend or not.
    fn findings(&self, seen: &View<'_>) -> Result<Findings, Missing> {
        let (mut ours, mut others) = (Vec::new(), Vec::new());
        for namespace in &self.namespaces {
            ours.extend(self.ways.at_solvers(seen, namespace)?);
            others.extend(self.ways.at_traefik(seen, namespace)?);
        }
        others.extend(self.ways.at_cert_manager(seen)?);
        Ok(Findings { ours, others })
    }
}

struct Findings {
    /// What our rule is there to let through.
    ours: Vec<Finding>,
    /// Of policies that are the user's.
    others: Vec<Finding>,
}

/// The namespaces that Traefik comes from. Empty: all are let in, since a pod in its node's network comes with an address that no selector
/// sees and that differs from node to node. Solvers say nothing that the world may not hear.
fn homes<'a>(seen: &View<'a>) -> Result<BTreeSet<&'a str>, Missing> {
    let pods = traefik::pods(seen)?;
    if pods.iter().any(|pod| pod["spec"]["hostNetwork"] == true) {
        return Ok(BTreeSet::new());
    }
    let homes: BTreeSet<&str> = pods.into_iter().filter_map(|pod| text(pod, "/metadata/namespace")).collect();
    Ok(if homes.is_empty() { [traefik::HOME].into() } else { homes })
}

/// Where Traefik does not show itself, nothing is known of how it fares.
fn unseen(seen: &View<'_>) -> Result<Option<Note>, Missing> {
    let none = || {
        Note::Warning(Finding::new(
            format!(
                "no pod of Traefik is seen in any namespace ({}): nobody knows whether policies let it in to solvers",
                traefik::SELECTOR
            ),
            format!("see that Traefik runs: kubectl get pods -A -l {}", traefik::SELECTOR),
        ))
    };
    Ok(traefik::pods(seen)?.is_empty().then(none))
}

impl Step for SolverPolicy {
    fn id(&self) -> StepId {
        StepId::of("solver-policy")
    }

    fn scope(&self) -> Scope {
        Scope::Cluster
    }

    fn questions(&self, seen: &View<'_>) -> Vec<Question> {
        let rules = self.manifests(seen).unwrap_or_default().into_iter().map(|manifest| Question::Api(ApiQuestion::DryRun(manifest)));
        effect::questions(seen).into_iter().chain(rules).collect()
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        let mut planned = drift::mend(self.manifests(seen)?.iter(), seen)?;
        let Findings { ours, others } = self.findings(seen)?;
        if planned.plan != Plan::Converged {
            planned.reasons.extend(ours.into_iter().map(|finding| finding.what));
            return Ok(planned.with_notes(others.into_iter().map(Note::Warning).chain(self.ways.without_effect()).collect()));
        }
        let findings: Vec<_> = ours.into_iter().chain(others).collect();
        if !findings.is_empty() {
            planned.plan = Plan::Unmet(findings);
        }
        Ok(planned.with_notes(unseen(seen)?.into_iter().chain(self.ways.without_effect()).collect()))
    }
}
