//! What a release's HPAs and PDBs are for works: an HPA has its metrics, a PDB lets a node be drained. Metrics come a minute
//! after the pods, so this is judged late in the flow. Without metrics-server an HPA never scales: worth a warning, not a failure.

use std::time::Duration;

use serde_json::Value;

use crate::inventory::{Inventory, Release};
use crate::model::{ApiQuestion, Condition, Finding, Missing, Note, ObjectRef, Plan, Planned, Question, Scope, Step, StepId, View};

use super::object;
use super::upgrade;

const HPA: &str = "HorizontalPodAutoscaler";
const PDB: &str = "PodDisruptionBudget";

struct Scale(Release);

/// One step a `[[releases]]`.
pub(super) fn steps(inventory: &Inventory) -> Vec<Box<dyn Step>> {
    inventory.releases.iter().map(|release| Box::new(Scale(release.clone())) as Box<dyn Step>).collect()
}

/// Who serves the metrics of pods: metrics-server.
fn metrics() -> ObjectRef {
    ObjectRef::new("apiregistration.k8s.io/v1", "APIService", "", "v1beta1.metrics.k8s.io")
}

impl Step for Scale {
    fn id(&self) -> StepId {
        StepId::named("scale", &self.0.name)
    }

    fn scope(&self) -> Scope {
        Scope::Cluster
    }

    fn questions(&self, seen: &View<'_>) -> Vec<Question> {
        let mut questions = vec![Question::Api(upgrade::question(&self.0.namespace, &self.0.name))];
        let objects = self.objects(seen).unwrap_or_default();
        if objects.iter().any(|object| object.kind == HPA) {
            questions.push(Question::Api(ApiQuestion::Object(metrics())));
        }
        questions.extend(objects.into_iter().map(|object| Question::Api(ApiQuestion::Object(object))));
        questions
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        let (mut waiting, mut notes) = (None, Vec::new());
        for object in self.objects(seen)? {
            let Some(live) = seen.object(&object)? else { continue };
            if object.kind == PDB {
                notes.extend(undrainable(&object, live));
            } else if let Some(why) = blind(live) {
                if seen.object(&metrics())?.is_some_and(available) {
                    waiting = waiting.or(Some(has_metrics(&object, why)));
                } else {
                    let what = format!("{object} never scales: nobody serves pods' metrics");
                    notes.push(Note::Warning(Finding::new(what, "run metrics-server: k3s does unless `disable` names it")));
                }
            }
        }
        Ok(Planned::from(waiting.map_or(Plan::Converged, Plan::Wait)).with_notes(notes))
    }
}

impl Scale {
    /// The release's HPAs and PDBs.
    fn objects(&self, seen: &View<'_>) -> Result<Vec<ObjectRef>, Missing> {
        let live = upgrade::released(seen, &self.0.namespace, &self.0.name)?;
        let objects = upgrade::manifests(live).map(|manifest| manifest.object().clone());
        Ok(objects.filter(|object| object.kind == HPA || object.kind == PDB).collect())
    }
}

fn has_metrics(hpa: &ObjectRef, seen: String) -> Condition {
    Condition {
        what: format!("{hpa} has its metrics"),
        seen,
        cure: "give its pods resource requests; kubectl -n kube-system logs deploy/metrics-server".into(),
        within: Duration::from_secs(120),
    }
}

fn undrainable(pdb: &ObjectRef, live: &Value) -> Option<Note> {
    let shut = live["status"]["expectedPods"].as_i64() > Some(0) && live["status"]["disruptionsAllowed"] == 0;
    let what = || format!("{pdb} allows no disruption: the node can't be drained");
    shut.then(|| Note::Warning(Finding::new(what(), "run one replica more, or allow one pod to be unavailable")))
}

/// Why an HPA sees no metric; none if it does.
fn blind(hpa: &Value) -> Option<String> {
    let Some(active) = object::condition(hpa, "ScalingActive") else {
        return Some("it says nothing of itself yet".into());
    };
    let text = |field: &str| active[field].as_str().unwrap_or_default();
    // At 0 replicas scaling is off, which is what was asked for.
    (text("status") != "True" && text("reason") != "ScalingDisabled").then(|| format!("{}: {}", text("reason"), text("message")))
}

fn available(service: &Value) -> bool {
    object::condition(service, "Available").is_some_and(|available| available["status"] == "True")
}
