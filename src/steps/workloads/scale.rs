//! An HPA has its metrics and a PDB lets a node be drained (S3-104).

use std::time::Duration;

use serde_json::Value;

use crate::model::{ApiQuestion, Condition, Finding, Missing, Note, ObjectRef, Question, View};

/// Kinds that are looked at.
pub const KINDS: &[&str] = &["HorizontalPodAutoscaler", "PodDisruptionBudget"];

/// Who serves the metrics of pods: metrics-server.
fn metrics() -> ObjectRef {
    ObjectRef::new("apiregistration.k8s.io/v1", "APIService", "", "v1beta1.metrics.k8s.io")
}

/// What must be known of these objects.
pub fn questions(objects: impl Iterator<Item = ObjectRef>) -> Vec<Question> {
    let questions: Vec<_> = objects.map(|object| Question::Api(ApiQuestion::Object(object))).collect();
    let metrics = (!questions.is_empty()).then(|| Question::Api(ApiQuestion::Object(metrics())));
    questions.into_iter().chain(metrics).collect()
}

/// What to wait for, and what to warn of. Without metrics-server an HPA never scales: that is worth a warning, not a failure.
///
/// # Errors
/// An object can't be seen.
pub fn judge(seen: &View<'_>, objects: impl Iterator<Item = ObjectRef>) -> Result<(Option<Condition>, Vec<Note>), Missing> {
    let (mut waiting, mut notes) = (None, Vec::new());
    for object in objects {
        let Some(live) = seen.object(&object)? else { continue };
        if object.kind == "PodDisruptionBudget" {
            if live["status"]["expectedPods"].as_i64() > Some(0) && live["status"]["disruptionsAllowed"] == 0 {
                let what = format!("{object} allows no disruption: the node can't be drained");
                notes.push(Note::Warning(Finding::new(what, "run one replica more, or allow one pod to be unavailable")));
            }
            continue;
        }
        let Some(why) = blind(live) else { continue };
        if seen.object(&metrics())?.is_some_and(available) {
            waiting = waiting.or(Some(Condition {
                what: format!("{object} has its metrics"),
                seen: why,
                cure: "give its pods resource requests; kubectl -n kube-system logs deploy/metrics-server".into(),
                within: Duration::from_secs(120),
            }));
        } else {
            let what = format!("{object} never scales: nobody serves pods' metrics");
            notes.push(Note::Warning(Finding::new(what, "run metrics-server: k3s does unless `disable` names it")));
        }
    }
    Ok((waiting, notes))
}

/// Why an HPA sees no metric; none if it does.
fn blind(hpa: &Value) -> Option<String> {
    let conditions = hpa["status"]["conditions"].as_array();
    let Some(active) = conditions.into_iter().flatten().find(|condition| condition["type"] == "ScalingActive") else {
        return Some("it says nothing of itself yet".into());
    };
    let text = |field: &str| active[field].as_str().unwrap_or_default();
    // At 0 replicas scaling is off, which is what was asked for.
    (text("status") != "True" && text("reason") != "ScalingDisabled").then(|| format!("{}: {}", text("reason"), text("message")))
}

fn available(service: &Value) -> bool {
    let conditions = service["status"]["conditions"].as_array();
    conditions.into_iter().flatten().any(|condition| condition["type"] == "Available" && condition["status"] == "True")
}
