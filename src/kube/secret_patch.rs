//! How a live Secret becomes the one that is wanted: apply can't remove a key that somebody else added, a JSON patch can.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::model::{LiveSecret, MANAGED_BY, REVISION, Secret, SecretSpec};

/// The JSON patch from `live` to `spec`, empty if nothing differs. Its first operation fails it if the Secret is no longer
/// `live`. Labels and annotations of others stay.
pub fn patch(live: &LiveSecret, spec: &SecretSpec, revision: &str) -> Vec<Value> {
    let mut changes = Vec::new();
    if live.data != spec.data {
        if live.data.is_empty() {
            changes.push(add("/data", json!({})));
        }
        let gone = live.data.keys().filter(|key| !spec.data.contains_key(*key));
        changes.extend(gone.map(|key| json!({ "op": "remove", "path": format!("/data/{}", escaped(key)) })));
        let differing = spec.data.iter().filter(|(key, value)| live.data.get(*key) != Some(value));
        changes.extend(differing.map(|(key, value)| add(&format!("/data/{}", escaped(key)), encoded(value))));
    }
    changes.extend(annotations(live, spec, revision));
    let (label, ours) = MANAGED_BY;
    if live.labels.get(label).map(String::as_str) != Some(ours) {
        changes.extend(put("/metadata/labels", &live.labels, label, ours));
    }
    if !changes.is_empty() {
        changes.insert(0, unchanged(live));
    }
    changes
}

/// What the annotations lack, or have too many.
fn annotations(live: &LiveSecret, spec: &SecretSpec, revision: &str) -> Vec<Value> {
    let revised = (live.data != spec.data).then_some((REVISION, Some(revision)));
    let wanted = revised.into_iter().chain(spec.annotations.iter().map(|(name, value)| (name.as_str(), value.as_deref())));
    let differing = wanted.filter(|(name, value)| live.annotations.get(*name).map(String::as_str) != *value);
    let changes: Vec<Value> = differing
        .map(|(name, value)| {
            let path = format!("/metadata/annotations/{}", escaped(name));
            value.map_or_else(|| json!({ "op": "remove", "path": path }), |value| add(&path, value.into()))
        })
        .collect();
    let place = (live.annotations.is_empty() && !changes.is_empty()).then(|| add("/metadata/annotations", json!({})));
    place.into_iter().chain(changes).collect()
}

/// The JSON patch that writes one key and says with which annotation, and touches nothing else.
pub fn put_key(live: &LiveSecret, key: &str, value: &Secret, (annotation, said): (&str, &str)) -> Vec<Value> {
    let data = live.data.is_empty().then(|| add("/data", json!({})));
    let written = add(&format!("/data/{}", escaped(key)), encoded(value));
    let said = put("/metadata/annotations", &live.annotations, annotation, said);
    [unchanged(live)].into_iter().chain(data).chain([written]).chain(said).collect()
}

/// Fails a patch whose Secret is no longer `live`.
fn unchanged(live: &LiveSecret) -> Value {
    json!({ "op": "test", "path": "/metadata/resourceVersion", "value": live.resource_version })
}

/// A Secret's value as the API takes it.
pub fn encoded(value: &Secret) -> Value {
    STANDARD.encode(value.expose()).into()
}

fn put(path: &str, present: &BTreeMap<String, String>, key: &str, value: &str) -> Vec<Value> {
    let parent = present.is_empty().then(|| add(path, json!({})));
    parent.into_iter().chain([add(&format!("{path}/{}", escaped(key)), value.into())]).collect()
}

fn add(path: &str, value: Value) -> Value {
    json!({ "op": "add", "path": path, "value": value })
}

/// A key as a JSON pointer's part (RFC 6901 §3).
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
#[path = "secret_patch_tests.rs"]
mod tests;
