//! cert-manager from its pinned chart, if a site wants a certificate by ACME: released, rolled out, and its webhook answering.

use std::time::Duration;

use serde_json::json;

use crate::inventory::{Acme, Consent, Inventory};
use crate::model::{
    ApiQuestion, ArtifactRef, ChartSource, Condition, Missing, ObjectRef, Pin, Plan, Planned, Question, ReleaseUpgrade, Scope, Step,
    StepId, View, Why,
};

use super::artifact;
use super::issuers;
use super::ratchet::Issuer;
use super::rollout;
use super::upgrade::{self, Wanted};

/// Where cert-manager runs, and where the account keys of cluster issuers lie.
pub(super) const NAMESPACE: &str = "cert-manager";
const RELEASE: &str = "cert-manager";
/// How long images, rollout and webhook may take.
const PATIENCE: Duration = Duration::from_secs(180);

struct CertManager {
    chart: ArtifactRef,
    acme: Acme,
    adopts: bool,
}

/// One step, if a site wants a certificate by ACME.
pub(super) fn steps(inventory: &Inventory) -> Vec<Box<dyn Step>> {
    let wanted = artifact::cert_manager(inventory).zip(inventory.acme.clone());
    let adopts = inventory.consents.contains(&Consent::Adopt);
    wanted.into_iter().map(|(chart, acme)| Box::new(CertManager { chart, acme, adopts }) as Box<dyn Step>).collect()
}

/// Namespace and name of the release, if it is wanted.
pub(super) fn release(inventory: &Inventory) -> Option<(String, String)> {
    artifact::cert_manager(inventory).zip(inventory.acme.as_ref()).map(|_| (NAMESPACE.into(), RELEASE.into()))
}

impl Step for CertManager {
    fn id(&self) -> StepId {
        StepId::of("cert-manager")
    }

    fn scope(&self) -> Scope {
        Scope::Cluster
    }

    fn questions(&self, seen: &View<'_>) -> Vec<Question> {
        let mut questions = vec![artifact::pin_question(&self.chart)];
        let wanted = artifact::pinned(seen, &self.chart).ok().map(|pin| self.wanted(pin));
        questions.extend(upgrade::questions(seen, NAMESPACE, RELEASE, wanted));
        questions.extend(deployments(seen).into_iter().map(|object| Question::Api(ApiQuestion::Object(object))));
        questions.extend(issuers::questions_of(&self.acme, Issuer::Staging, seen));
        questions
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        let released = self.wanted(artifact::pinned(seen, &self.chart)?).plan(seen)?;
        match released.plan {
            Plan::Converged => {}
            _ => return Ok(released),
        }
        for object in deployments(seen) {
            let missing = match seen.object(&object)? {
                None => Some("it is absent".to_owned()),
                Some(live) => rollout::unfinished(live),
            };
            if let Some(missing) = missing {
                return Ok(waiting(format!("{object} is available"), missing).into());
            }
        }
        // A dry run passes the webhook: it answers only once its CA is injected. While the CRDs settle the kind is unknown.
        match seen.dry_run(&issuers::manifest(&self.acme, Issuer::Staging, seen)?) {
            Err(Missing { why: Why::Unreadable(why), .. }) => Ok(waiting("cert-manager accepts a cluster issuer".into(), why).into()),
            Err(missing) => Err(missing),
            Ok(_) => Ok(released),
        }
    }
}

impl CertManager {
    fn wanted(&self, pin: &Pin) -> Wanted {
        let upgrade = ReleaseUpgrade {
            namespace: NAMESPACE.into(),
            name: RELEASE.into(),
            chart: ChartSource::Artifact(pin.clone()),
            chart_digest: pin.sha256.chars().take(40).collect(),
            values: json!({ "crds": { "enabled": true } }),
            timeout: PATIENCE.as_secs(),
        };
        Wanted { upgrade, version: self.chart.version.clone(), adopts: self.adopts }
    }
}

/// The deployments that the release brought: the webhook may be off in a chart of the user's mirror.
fn deployments(seen: &View<'_>) -> Vec<ObjectRef> {
    let Ok(Some(live)) = seen.release(NAMESPACE, RELEASE) else { return Vec::new() };
    upgrade::manifests(live).map(|manifest| manifest.object().clone()).filter(|object| object.kind == "Deployment").collect()
}

fn waiting(what: String, seen: String) -> Plan {
    Plan::Wait(Condition { what, seen, cure: format!("kubectl -n {NAMESPACE} get pods,events"), within: PATIENCE })
}
