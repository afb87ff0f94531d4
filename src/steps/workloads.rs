//! The workloads that a release brought run as their specs say. Crashes on the first boot are no error while the
//! time lasts: databases come up later than what needs them.

mod images;
pub(super) mod pods;

use crate::inventory::{Inventory, Release};
use crate::model::{
    Action, ApiAction, ApiQuestion, Condition, Finding, LiveRelease, Missing, Note, ObjectRef, OperatorQuestion, Plan, Planned, Question,
    Scope, Step, StepId, View,
};

use super::changes::Changes;
use super::rollout;
use super::upgrade;
use images::{Archives, Outdated};

struct Workloads {
    release: Release,
    archives: Archives,
}

/// One step a `[[releases]]`.
pub(super) fn steps(inventory: &Inventory) -> Vec<Box<dyn Step>> {
    let step = |release: &Release| Workloads { release: release.clone(), archives: Archives::of(inventory) };
    inventory.releases.iter().map(|release| Box::new(step(release)) as Box<dyn Step>).collect()
}

impl Step for Workloads {
    fn id(&self) -> StepId {
        StepId::named("workloads", &self.release.name)
    }

    fn scope(&self) -> Scope {
        Scope::Cluster
    }

    fn questions(&self, seen: &View<'_>) -> Vec<Question> {
        let pods = pods::all(&self.release.namespace);
        let mut questions = vec![
            Question::Api(upgrade::question(&self.release.namespace, &self.release.name)),
            Question::Api(ApiQuestion::List { of: pods.clone(), selector: String::new() }),
            Question::Operator(OperatorQuestion::Clock),
        ];
        questions.extend(self.archives.questions(seen, seen.list(&pods, "").ok().flatten().map(Vec::as_slice).unwrap_or_default()));
        if let Ok(Some(live)) = seen.release(&self.release.namespace, &self.release.name) {
            questions.extend(workloads(live).map(|object| Question::Api(ApiQuestion::Object(object))));
        }
        questions
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        let live = upgrade::released(seen, &self.release.namespace, &self.release.name)?;
        let now = seen.clock()?;
        let listed = seen.list(&pods::all(&self.release.namespace), "")?.map(Vec::as_slice).unwrap_or_default();
        let meant = self.archives.meant(seen, listed)?;
        let (mut findings, mut notes, mut changes) = (Vec::new(), Vec::new(), Changes::default());
        for object in workloads(live) {
            let workload = seen.object(&object)?;
            if let Some(pulled) = workload.and_then(|workload| meant.pulled(&object, workload)) {
                return Ok(Plan::Unmet(vec![pulled]).into());
            }
            let unfinished = workload.map_or_else(|| Some("it is absent".to_owned()), rollout::unfinished);
            let own = workload.map(|workload| pods::of(workload, listed)).unwrap_or_default();
            if let Some(unfinished) = unfinished {
                return Ok(self.waiting(&object, std::iter::once(unfinished).chain(own.iter().filter_map(pods::Pod::trouble))).into());
            }
            match workload.and_then(|workload| meant.outdated(&object, workload, &own, now, self.release.within())) {
                Some(Outdated::Anew(reason, restart)) => changes.add(reason, Action::Api(ApiAction::Restart(restart))),
                Some(Outdated::Still(finding)) => findings.push(finding),
                None => {}
            }
            for pod in own {
                match pod.crashes(now, self.release.restart_budget, self.release.within()) {
                    pods::Crashes::Forgiven => {}
                    pods::Crashes::New(what) => notes.push(Note::Warning(Finding::new(what, self.logs(&pod)))),
                    pods::Crashes::TooMany(what) => findings.push(Finding::new(what, self.logs(&pod))),
                }
            }
        }
        let planned = if findings.is_empty() { changes.into() } else { Planned::from(Plan::Unmet(findings)) };
        Ok(planned.with_notes(notes))
    }
}

impl Workloads {
    fn waiting(&self, object: &ObjectRef, seen: impl Iterator<Item = String>) -> Plan {
        Plan::Wait(Condition {
            what: format!("{object} is rolled out"),
            seen: seen.collect::<Vec<_>>().join("; "),
            cure: format!(
                "kubectl -n {0} describe {1} {2}; kubectl -n {0} get events",
                object.namespace,
                object.kind.to_lowercase(),
                object.name
            ),
            within: self.release.within(),
        })
    }

    fn logs(&self, pod: &pods::Pod<'_>) -> String {
        format!("kubectl -n {} logs {} --previous --all-containers", self.release.namespace, pod.name())
    }
}

fn workloads(live: &LiveRelease) -> impl Iterator<Item = ObjectRef> {
    upgrade::manifests(live).map(|manifest| manifest.object().clone()).filter(|object| rollout::KINDS.contains(&object.kind.as_str()))
}
