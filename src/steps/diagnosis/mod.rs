//! Why a certificate does not come: follows Certificate -> CertificateRequest -> Order -> Challenge -> solver Pod, Ingress -> policies ->
//! DNS (contract §4.3) and says what is stuck, why, and who cures it. Pure: it only judges answers. One file a stage; no message is
//! matched that cert-manager, the API server or a CA does not write.

mod api;
mod ask;
mod authority;
mod case;
mod cause;
mod certificate;
mod challenge;
mod class;
mod controllers;
mod issuer;
mod order;
mod policy;
mod reach;
mod request;
mod self_check;
mod served;
mod solver;

use crate::inventory::Inventory;
use crate::model::{Finding, Missing, Note, Plan, Planned, Question, Scope, Step, StepId, View};

use super::acme_site::AcmeSite;
use super::challenge_probe::Authority;
use super::solver_policy::effect::Ways;

use case::Case;
use cause::Cause;

struct Diagnosis {
    site: AcmeSite,
    authority: Authority,
    ways: Ways,
}

/// One a site with a certificate by ACME. It is no part of the flow: `bedplate diagnose` asks for it, and a run whose certificate does
/// not come in time.
#[must_use]
pub fn diagnosis(inventory: &Inventory) -> Vec<Box<dyn Step>> {
    let (authority, ways) = (Authority::of(inventory), Ways::of(inventory));
    AcmeSite::all(inventory).map(|site| Box::new(Diagnosis { site, authority, ways: ways.clone() }) as Box<dyn Step>).collect()
}

impl Step for Diagnosis {
    fn id(&self) -> StepId {
        StepId::named("diagnose", &self.site.domain)
    }

    fn scope(&self) -> Scope {
        Scope::Cluster
    }

    fn questions(&self, seen: &View<'_>) -> Vec<Question> {
        let mut questions = ask::first(&self.site);
        let Ok(case) = Case::read(&self.site, self.authority, &self.ways, *seen) else { return questions };
        if case.comes() {
            return questions;
        }
        questions.extend(ask::chain(&self.site));
        questions.extend(ask::way(&case));
        questions
    }

    /// The chain is told as facts, from the top down.
    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        let case = Case::read(&self.site, self.authority, &self.ways, *seen)?;
        let findings: Vec<Finding> = judge(&case)?.into_iter().map(Finding::from).collect();
        let plan = if findings.is_empty() { Plan::Converged } else { Plan::Unmet(findings) };
        Ok(Planned::from(plan).with_notes(case.told()?.into_iter().map(Note::Fact).collect()))
    }
}

/// What a stage finds.
type Stage = fn(&Case<'_>) -> Result<Vec<Cause>, Missing>;

/// From the top of the chain down.
const STAGES: [Stage; 8] = [
    controllers::judge,
    certificate::judge,
    issuer::judge,
    request::judge,
    order::judge,
    challenge::judge,
    certificate::unexplained,
    served::judge,
];

/// The first stage that holds everything up is told: what lies below it has nothing to say.
fn judge(case: &Case<'_>) -> Result<Vec<Cause>, Missing> {
    for stage in STAGES {
        let causes = cause::distinct(stage(case)?);
        if !causes.is_empty() {
            return Ok(causes.into_iter().map(|cause| case.in_time(cause)).collect());
        }
    }
    Ok(Vec::new())
}
