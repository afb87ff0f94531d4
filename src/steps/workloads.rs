//! The workloads that a release brought run as their specs say (S3-100, S3-101, S3-104). Crashes on the first boot are no error while the
//! time lasts: databases come up later than what needs them.

mod pods;
mod scale;

use std::time::Duration;

use crate::inventory::{self, Inventory, Release};
use crate::model::{
    ApiQuestion, Condition, Finding, LiveRelease, Missing, Note, ObjectRef, OperatorQuestion, Plan, Planned, Question, Scope, Step, StepId,
    View, Why,
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
        let mut questions = vec![Question::Api(self.release()), Question::Operator(OperatorQuestion::Clock)];
        if let Ok(Some(live)) = seen.release(&self.0.namespace, &self.0.name) {
            let objects = objects(live).filter(|object| rollout::KINDS.contains(&object.kind.as_str()));
            questions.extend(objects.map(|object| Question::Api(ApiQuestion::Object(object))));
            questions.extend(scale::questions(objects_of(live, scale::KINDS)));
            questions.push(Question::Api(ApiQuestion::List { of: pods::all(&self.0.namespace), selector: String::new() }));
        }
        questions
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        let live = seen.release(&self.0.namespace, &self.0.name)?.ok_or_else(|| Missing {
            question: Question::Api(self.release()),
            why: Why::Unreadable(format!("release {} is not there yet", self.0.name)),
        })?;
        let now = seen.clock()?;
        let listed = seen.list(&pods::all(&self.0.namespace), "")?.map(Vec::as_slice).unwrap_or_default();
        let (mut findings, mut notes) = (Vec::new(), Vec::new());
        for object in objects_of(live, &rollout::KINDS) {
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
        if !findings.is_empty() {
            return Ok(Planned::from(Plan::Unmet(findings)).with_notes(notes));
        }
        let (waiting, warnings) = scale::judge(seen, objects_of(live, scale::KINDS))?;
        let planned = Planned::from(waiting.map_or(Plan::Converged, Plan::Wait));
        Ok(planned.with_notes(notes).with_notes(warnings))
    }
}

impl Workloads {
    fn release(&self) -> ApiQuestion {
        ApiQuestion::Release { namespace: self.0.namespace.clone(), name: self.0.name.clone() }
    }

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

fn objects(live: &LiveRelease) -> impl Iterator<Item = ObjectRef> {
    upgrade::manifests(live).map(|manifest| manifest.object().clone())
}

fn objects_of<'a>(live: &'a LiveRelease, kinds: &'a [&str]) -> impl Iterator<Item = ObjectRef> + 'a {
    objects(live).filter(|object| kinds.contains(&object.kind.as_str()))
}
