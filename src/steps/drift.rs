//! How objects differ from what a server-side dry run would make of them, in words, and what mends it.

use serde_json::Value;

use super::difference::Difference;
use crate::model::{Action, ApiAction, Conflict, DryRun, Manifest, Missing, ObjectRef, Planned, View};

/// What the API server itself keeps in every object; no drift.
const KEPT_BY_SERVER: [&str; 5] = ["managedFields", "resourceVersion", "generation", "creationTimestamp", "uid"];

/// Applies those of our objects that differ.
///
/// # Errors
/// One of them can't be seen.
pub fn mend<'a>(manifests: impl Iterator<Item = &'a Manifest>, seen: &View<'_>) -> Result<Planned, Missing> {
    let (mut actions, mut reasons) = (Vec::new(), Vec::new());
    for manifest in manifests {
        let differences = differences(manifest.object(), seen.dry_run(manifest)?);
        if !differences.is_empty() {
            reasons.extend(differences);
            actions.push(Action::Api(ApiAction::Apply(manifest.clone())));
        }
    }
    Ok(Planned::act(actions, reasons))
}

/// One line a difference; none: the object is as it must be.
pub fn differences(object: &ObjectRef, dry_run: Option<&DryRun>) -> Vec<String> {
    let Some((live, merged)) = dry_run.and_then(|dry_run| Some((dry_run.live.as_ref()?, &dry_run.merged))) else {
        return vec![format!("{object} is absent")];
    };
    let mut found = Vec::new();
    compare("", live, merged, &mut found);
    let conflicts = dry_run.map(|dry_run| dry_run.conflicts.as_slice()).unwrap_or_default();
    found.into_iter().map(|(path, difference)| told(object, &path, &difference, &owners(&path, conflicts))).collect()
}

/// How an object differs from what it was rendered as before, by fields.
pub fn between(object: &ObjectRef, before: &Value, after: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare("", before, after, &mut found);
    found.into_iter().map(|(path, difference)| told(object, &path, &difference, &[])).collect()
}

/// The owner stands before a diff, which may have many lines.
fn told(object: &ObjectRef, path: &str, difference: &Difference, owners: &[&str]) -> String {
    let whose = if owners.is_empty() { String::new() } else { format!(" (set by {})", owners.join(", ")) };
    difference.told(&format!("{object}: {path}"), &whose)
}

/// Whose value at `path` would be replaced; if the server names nobody there, everybody whom it names at all.
fn owners<'a>(path: &str, conflicts: &'a [Conflict]) -> Vec<&'a str> {
    let plain = |field: &str| field.trim_start_matches('.').replace("[name=\"", "[").replace("\"]", "]");
    let touches = |field: &str| field.starts_with(path) || path.starts_with(field);
    let mut here: Vec<&str> = conflicts.iter().filter(|one| touches(&plain(&one.field))).map(|one| one.manager.as_str()).collect();
    if here.is_empty() {
        here = conflicts.iter().map(|one| one.manager.as_str()).collect();
    }
    here.sort_unstable();
    here.dedup();
    here
}

fn compare(path: &str, live: &Value, merged: &Value, found: &mut Vec<(String, Difference)>) {
    match (live, merged) {
        _ if live == merged => {}
        (Value::Object(live), Value::Object(merged)) => {
            let mut keys: Vec<&String> = live.keys().chain(merged.keys()).collect();
            keys.sort();
            keys.dedup();
            for key in keys.into_iter().filter(|key| !skipped(path, key)) {
                let nothing = &Value::Null;
                compare(&join(path, key), live.get(key).unwrap_or(nothing), merged.get(key).unwrap_or(nothing), found);
            }
        }
        (Value::Array(live), Value::Array(merged)) if live.len() == merged.len() => {
            for (place, (live, merged)) in live.iter().zip(merged).enumerate() {
                let label = merged["name"].as_str().map_or_else(|| place.to_string(), str::to_owned);
                compare(&format!("{path}[{label}]"), live, merged, found);
            }
        }
        _ => found.push((path.to_owned(), Difference::of(path, live, merged))),
    }
}

fn skipped(path: &str, key: &str) -> bool {
    (path.is_empty() && key == "status") || (path == "metadata" && KEPT_BY_SERVER.contains(&key))
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

#[cfg(test)]
#[path = "drift_tests.rs"]
mod tests;
