//! How objects differ from what a server-side dry run would make of them, in words, and what mends it.

use serde_json::Value;

use crate::model::{Action, ApiAction, DryRun, Manifest, Missing, ObjectRef, Planned, View};

/// Longest value that a reason shows.
const SHOWN: usize = 60;

/// Lists of a container in which people write passwords: what differs there is named, never shown.
const UNSHOWN: [&str; 3] = [".env[", ".args[", ".command["];

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
    let whose = if conflicts.is_empty() { String::new() } else { format!(" (set by {})", conflicts.join(", ")) };
    found.into_iter().map(|difference| format!("{object}: {difference}{whose}")).collect()
}

fn compare(path: &str, live: &Value, merged: &Value, found: &mut Vec<String>) {
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
        _ if UNSHOWN.iter().any(|list| path.contains(list)) => found.push(format!("{path} differs (not shown: it may hold secrets)")),
        _ => found.push(format!("{path} {} -> {}", shown(live), shown(merged))),
    }
}

fn skipped(path: &str, key: &str) -> bool {
    (path.is_empty() && key == "status") || (path == "metadata" && KEPT_BY_SERVER.contains(&key))
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "nothing".into(),
        Value::Array(items) => format!("{} items", items.len()),
        Value::Object(fields) => format!("{} fields", fields.len()),
        other => {
            let text = other.to_string();
            if text.chars().count() > SHOWN { format!("{}…", text.chars().take(SHOWN).collect::<String>()) } else { text }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(live: Value, merged: Value) -> Vec<String> {
        let run = DryRun { live: Some(live), merged, conflicts: Vec::new() };
        differences(&ObjectRef::new("apps/v1", "Deployment", "shop", "auth"), Some(&run))
    }

    #[test]
    fn what_the_server_keeps_is_no_drift() {
        let object = |version: &str| json!({ "metadata": { "resourceVersion": version, "name": "a" }, "status": { "seen": version } });
        assert_eq!(of(object("1"), object("2")), Vec::<String>::new());
    }

    #[test]
    fn a_difference_names_its_path_and_both_values() {
        let object = |image: &str| json!({ "spec": { "containers": [{ "name": "web", "image": image }] } });
        assert_eq!(of(object("a:1"), object("a:2")), [r#"deployment shop/auth: spec.containers[web].image "a:1" -> "a:2""#]);
    }

    #[test]
    fn what_may_be_a_password_is_not_shown() {
        let object =
            |value: &str| json!({ "spec": { "containers": [{ "name": "web", "env": [{ "name": "PASSWORD", "value": value }] }] } });
        let told = "deployment shop/auth: spec.containers[web].env[PASSWORD].value differs (not shown: it may hold secrets)";
        assert_eq!(of(object("hunter2"), object("hunter3")), [told]);
    }

    #[test]
    fn lists_of_different_length_are_counted_and_long_values_cut() {
        let object = |args: &[&str], text: &str| json!({ "args": args, "text": text });
        let long = "x".repeat(100);
        let lines = of(object(&["a"], "y"), object(&["a", "b"], &long));
        assert_eq!(lines[0], "deployment shop/auth: args 1 items -> 2 items");
        assert!(lines[1].ends_with('…') && lines[1].len() < 130, "{}", lines[1]);
    }
}
