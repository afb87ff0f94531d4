//! How objects are read: a text, a condition, an owner, an age.

use serde_json::Value;

/// Longest saying that is passed on where it is what is stuck.
const SHOWN: usize = 320;
/// Longest one of those on the way there.
const BRIEF: usize = 140;

/// A text that is there and not empty.
pub fn text<'a>(object: &'a Value, pointer: &str) -> Option<&'a str> {
    object.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// Its name.
pub fn name(object: &Value) -> &str {
    text(object, "/metadata/name").unwrap_or_default()
}

/// `kind namespace/name`, as the user types it.
pub fn place(object: &Value) -> String {
    let kind = text(object, "/kind").unwrap_or_default().to_lowercase();
    match text(object, "/metadata/namespace") {
        Some(namespace) => format!("{kind} {namespace}/{}", name(object)),
        None => format!("{kind} {}", name(object)),
    }
}

/// The elements of a list; none where there is no list.
pub fn list<'a>(object: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> {
    object.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

/// A condition of that type.
pub fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    list(object, "/status/conditions").find(|condition| condition["type"] == kind)
}

/// Whether a condition speaks of a spec that has changed since.
pub fn is_stale(condition: &Value, object: &Value) -> bool {
    let generations = condition["observedGeneration"].as_i64().zip(object["metadata"]["generation"].as_i64());
    generations.is_some_and(|(observed, now)| observed < now)
}

/// What somebody said, in one line.
pub fn said(text: &str) -> String {
    cut(text, SHOWN)
}

/// The beginning of it.
pub fn brief(text: &str) -> String {
    cut(text, BRIEF)
}

fn cut(text: &str, length: usize) -> String {
    let folded = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if folded.chars().count() <= length { folded } else { folded.chars().take(length).chain("…".chars()).collect() }
}

/// Seconds since the epoch.
pub fn seconds(time: &str) -> Option<i64> {
    time.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second)
}

/// How many seconds ago it was made.
pub fn age(object: &Value, now: i64) -> i64 {
    text(object, "/metadata/creationTimestamp").and_then(seconds).map_or(0, |made| now - made)
}

/// Those that one of `owners` owns.
pub fn owned<'a>(objects: &'a [Value], owners: &[&Value]) -> Vec<&'a Value> {
    let is_owner = |uid: &Value| !uid.is_null() && owners.iter().any(|owner| &owner["metadata"]["uid"] == uid);
    objects.iter().filter(|object| list(object, "/metadata/ownerReferences").any(|owner| is_owner(&owner["uid"]))).collect()
}

/// The one that was made last.
pub fn newest<'a>(objects: &[&'a Value]) -> Option<&'a Value> {
    objects.iter().copied().max_by_key(|object| text(object, "/metadata/creationTimestamp"))
}

/// Whether labels are there as a selector's `matchLabels` wants them.
pub fn bears(labels: &Value, wanted: &Value) -> bool {
    wanted.as_object().is_none_or(|wanted| wanted.iter().all(|(key, value)| labels.get(key) == Some(value)))
}
