//! A node's labels and taints: k3s sets them when the node registers (contract §2.3). What lacks later is mended as far as it can be.

use serde_json::{Value, json};

use crate::inventory::Host;
use crate::model::{Action, ApiAction, Manifest, Missing, Note, ObjectRef, Planned, View};

/// What the Node must show.
pub struct Registered {
    labels: Vec<(String, String)>,
    taints: Vec<String>,
}

impl Registered {
    /// Of this host.
    pub fn of(host: &Host) -> Self {
        Self { labels: host.labels.clone().into_iter().collect(), taints: host.taints.clone() }
    }

    /// Applies labels. Taints can't be applied without taking all others away, Kubernetes' own too, so they are left to the user.
    ///
    /// # Errors
    /// The Node can't be seen.
    pub fn settle(&self, seen: &View<'_>, node: &ObjectRef) -> Result<Planned, Missing> {
        let Some(live) = seen.object(node)? else { return Ok(Planned::act(Vec::new(), Vec::new())) };
        let lacking = self.labels.iter().filter(|(key, value)| live["metadata"]["labels"][key] != value.as_str());
        let reasons: Vec<_> = lacking.map(|(key, value)| format!("{node} lacks the label {key}={value}")).collect();
        let labels: serde_json::Map<_, _> = self.labels.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
        let wanted = json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": node.name, "labels": labels } });
        let apply = Manifest::new(wanted).filter(|_| !reasons.is_empty()).map(|manifest| Action::Api(ApiAction::Apply(manifest)));
        let live: Vec<_> = live.pointer("/spec/taints").and_then(Value::as_array).into_iter().flatten().map(text).collect();
        let bare = self.taints.iter().filter(|taint| !live.contains(&plain(taint)));
        let manual = |taint: &String| {
            Note::Manual(format!(
                "{node} lacks the taint {taint}, which k3s sets only on a new node: `kubectl taint nodes {} {taint}`",
                node.name
            ))
        };
        Ok(Planned::act(apply.into_iter().collect(), reasons).with_notes(bare.map(manual).collect()))
    }
}

/// `key=value:Effect`, or `key:Effect` where there is no value.
fn text(taint: &Value) -> String {
    let part = |key: &str| taint[key].as_str().unwrap_or_default();
    plain(&format!("{}={}:{}", part("key"), part("value"), part("effect")))
}

/// An empty value is none.
fn plain(taint: &str) -> String {
    taint.replace("=:", ":")
}
