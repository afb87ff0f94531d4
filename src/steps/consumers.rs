//! What reads a Secret when its pods start is restarted when the Secret changed since, and only then: its pod template is told the
//! Secret's revision. What was never told, and was made after the Secret, has read what the Secret was made with.

use serde_json::Value;

use super::{object, rollout};
use crate::inventory::{Inventory, ROLLED_OUT};
use crate::model::{
    Action, ApiAction, ApiQuestion, Condition, FIRST_REVISION, Finding, LiveSecret, Missing, Note, ObjectRef, Plan, Planned, Question,
    REVISION, Restart, Scope, Step, StepId, View,
};

struct Consumer {
    workload: ObjectRef,
    secret: String,
}

/// One a workload of `consumers`.
pub(super) fn steps(inventory: &Inventory) -> Vec<Box<dyn Step>> {
    let mut steps = Vec::<Box<dyn Step>>::new();
    for source in &inventory.secrets {
        for workload in source.workloads() {
            steps.push(Box::new(Consumer { workload, secret: source.name.clone() }));
        }
    }
    steps
}

impl Step for Consumer {
    fn id(&self) -> StepId {
        let ObjectRef { kind, namespace, name, .. } = &self.workload;
        StepId::named("consumer", format!("{namespace}/{}/{name}/{}", kind.to_lowercase(), self.secret))
    }

    fn scope(&self) -> Scope {
        Scope::Cluster
    }

    fn questions(&self, _: &View<'_>) -> Vec<Question> {
        let secret = ApiQuestion::Secret { namespace: self.workload.namespace.clone(), name: self.secret.clone() };
        vec![Question::Api(secret), Question::Api(ApiQuestion::Object(self.workload.clone()))]
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        let secret = seen.secret(&self.workload.namespace, &self.secret)?;
        let Some(workload) = seen.object(&self.workload)? else {
            let message = format!("{} is not there, and reads secret {}, says the inventory", self.workload, self.secret);
            let absent = Finding::new(message, "correct its name in `consumers`, or install what brings it");
            return Ok(Planned::from(Plan::Converged).with_notes(vec![Note::Warning(absent)]));
        };
        // One that we have never written has never been changed by us.
        let Some((secret, revision)) = secret.and_then(|live| Some((live, live.annotations.get(REVISION)?))) else {
            return Ok(Plan::Converged.into());
        };
        let restart = Restart { workload: self.workload.clone(), reads: self.secret.clone(), revision: revision.clone() };
        if restart.is_told(workload) {
            return Ok(rollout::unfinished(workload).map_or(Plan::Converged, |unfinished| self.waiting(unfinished)).into());
        }
        if read_it(workload, secret, &restart) {
            return Ok(Plan::Converged.into());
        }
        let reason = format!("secret {}/{} changed since its pods started", self.workload.namespace, self.secret);
        Ok(Planned::act(vec![Action::Api(ApiAction::Restart(restart))], vec![reason]))
    }
}

impl Consumer {
    fn waiting(&self, seen: String) -> Plan {
        let ObjectRef { kind, namespace, name, .. } = &self.workload;
        Plan::Wait(Condition {
            what: format!("{} is rolled out", self.workload),
            seen,
            cure: format!("kubectl -n {namespace} describe {} {name}; kubectl -n {namespace} get events", kind.to_lowercase()),
            within: ROLLED_OUT,
        })
    }
}

/// Whether its pods can only have read what the Secret holds still. Both times are the API server's.
fn read_it(workload: &Value, secret: &LiveSecret, restart: &Restart) -> bool {
    let told = &workload["spec"]["template"]["metadata"]["annotations"][Restart::annotation(&restart.reads)];
    told.is_null() && restart.revision.starts_with(FIRST_REVISION) && made(workload).is_some_and(|made| made > secret.created)
}

fn made(workload: &Value) -> Option<i64> {
    object::text(workload, "/metadata/creationTimestamp").and_then(object::seconds)
}
