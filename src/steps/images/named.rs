//! What pods of this cluster run, or will: no node may lack it, wherever they go next.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::model::{ApiQuestion, ObjectRef, Question, View, full_reference};
use crate::steps::object::{condition, list};
use crate::steps::workloads::pods::{Pod, containers};

/// Whatever has a pod's spec, and where.
const KINDS: [(&str, &str, &str); 8] = [
    ("apps/v1", "DaemonSet", "/spec/template/spec"),
    ("apps/v1", "Deployment", "/spec/template/spec"),
    ("apps/v1", "ReplicaSet", "/spec/template/spec"),
    ("apps/v1", "StatefulSet", "/spec/template/spec"),
    ("batch/v1", "CronJob", "/spec/jobTemplate/spec/template/spec"),
    ("batch/v1", "Job", "/spec/template/spec"),
    ("v1", "Pod", "/spec"),
    ("v1", "ReplicationController", "/spec/template/spec"),
];

/// What must be known before an image goes.
pub(super) fn questions() -> impl Iterator<Item = Question> {
    KINDS.iter().map(|(version, kind, _)| Question::Api(ApiQuestion::List { of: ObjectRef::every(version, kind), selector: String::new() }))
}

/// In full, as containerd has them. A Deployment's former ReplicaSets and what has ended name nothing: of those it takes
/// a roll-back, for which some former images stay anyway. None: something of the cluster can't be seen, and nothing may go.
pub(super) fn named(seen: &View<'_>) -> Option<BTreeSet<String>> {
    let mut named = BTreeSet::new();
    for (version, kind, spec) in KINDS {
        let found = seen.list(&ObjectRef::every(version, kind), "").ok()??;
        for spec in found.iter().filter(|object| !has_ended(kind, object)).filter_map(|object| object.pointer(spec)) {
            let volumes = list(spec, "/volumes").map(|volume| &volume["image"]["reference"]);
            let images = containers(spec).map(|container| &container["image"]).chain(volumes);
            named.extend(images.filter_map(Value::as_str).filter_map(|image| full_reference(image).ok()));
        }
    }
    Some(named)
}

fn has_ended(kind: &str, object: &Value) -> bool {
    match kind {
        // By itself, or of a custom kind, it may be scaled up again.
        "ReplicaSet" => {
            let is_former = list(object, "/metadata/ownerReferences").any(|owner| owner["kind"] == "Deployment");
            is_former && object["spec"]["replicas"] == 0
        }
        "Job" => ["Complete", "Failed"].iter().any(|end| condition(object, end).is_some_and(|end| end["status"] == "True")),
        "Pod" => Pod::of(object).has_ended(),
        _ => false,
    }
}
