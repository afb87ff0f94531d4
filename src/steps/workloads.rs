//! The workloads that a release brought run as their specs say (S3-100, S3-101). Crashes on the first boot are no error while the
//! time lasts: databases come up later than what needs them.

pub(super) mod pods;

use std::time::Duration;

use crate::inventory::{self, Inventory, Release};
use crate::model::{
    ApiQuestion, Condition, Finding, LiveRelease, Missing, Note, ObjectRef, OperatorQuestion, Plan, Planned, Question, Scope, Step, StepId,
    View,
};

use super::rollout;
use super::upgrade;

struct Workloads(Release);

/// One step a `[[releases]]`.
pub(super) fn steps(inventory: &Inventory) -> Vec<Box<dyn Step>> {
    inventory.releases.iter().map(|release| Box::new(Workloads(release.clone())) as Box<dyn Step>).collect()
}

impl Step for Workloads {
    fn id(&self) -> StepId {
        StepId::named("workloads", &self.0.name)
    }

    fn scope(&self) -> Scope {
        Scope::Cluster
    }

    fn questions(&self, seen: &View<'_>) -> Vec<Question> {
        let mut questions = vec![Question::Api(upgrade::question(&self.0.namespace, &self.0.name)), Question::Operator(OperatorQuestion::Clock)];
        if let Ok(Some(live)) = seen.release(&self.0.namespace, &self.0.name) {
            questions.extend(workloads(live).map(|object| Question::Api(ApiQuestion::Object(object))));
            questions.push(Question::Api(ApiQuestion::List { of: pods::all(&self.0.namespace), selector: String::new() }));
        }
        questions
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        let live = upgrade::released(seen, &self.0.namespace, &self.0.name)?;
        let now = seen.clock()?;
        let listed = seen.list(&pods::all(&self.0.namespace), "")?.map(Vec::as_slice).unwrap_or_default();
        let (mut findings, mut notes) = (Vec::new(), Vec::new());
        for object in workloads(live) {
            let workload = seen.object(&object)?;
            let unfinished = workload.map_or_else(|| Some("it is absent".to_owned()), rollout::unfinished);
            let own = workload.map(|workload| pods::of(workload, listed)).unwrap_or_default();
            if let Some(unfinished) = unfinished {
                return Ok(self.waiting(&object, std::iter::once(unfinished).chain(own.iter().filter_map(pods::Pod::trouble))).into());
            }
            for pod in own {
                match pod.crashes(now, self.0.restart_budget, self.timeout()) {
                    pods::Crashes::Forgiven => {}
                    pods::Crashes::New(what) => notes.push(Note::Warning(Finding::new(what, self.logs(&pod)))),
                    pods::Crashes::TooMany(what) => findings.push(Finding::new(what, self.logs(&pod))),
                }
            }
        }
        let plan = if findings.is_empty() { Plan::Converged } else { Plan::Unmet(findings) };
        Ok(Planned::from(plan).with_notes(notes))
    }
}

impl Workloads {
    fn timeout(&self) -> Duration {
        inventory::duration(&self.0.timeout).unwrap_or(Duration::from_secs(240))
    }

    fn waiting(&self, object: &ObjectRef, seen: impl Iterator<Item = String>) -> Plan {
        Plan::Wait(Condition {
            what: format!("{object} is rolled out"),
            seen: seen.collect::<Vec<_>>().join("; "),
            cure: format!("kubectl -n {0} describe {1} {2}; kubectl -n {0} get events", object.namespace, object.kind.to_lowercase(), object.name),
            within: self.timeout(),
        })
    }

    fn logs(&self, pod: &pods::Pod<'_>) -> String {
        format!("kubectl -n {} logs {} --previous --all-containers", self.0.namespace, pod.name())
    }
}

fn workloads(live: &LiveRelease) -> impl Iterator<Item = ObjectRef> {
    upgrade::manifests(live).map(|manifest| manifest.object().clone()).filter(|object| rollout::KINDS.contains(&object.kind.as_str()))
}
