//! Values files, merged as helm merges `-f`: maps by key, the later file wins, everything else is replaced whole.

use std::path::PathBuf;

use serde_json::{Map, Value};

/// Reads and merges values files.
///
/// # Errors
/// In words: a file can't be read or is no map.
pub fn merged(paths: &[PathBuf]) -> Result<Value, String> {
    let mut all = Value::Object(Map::new());
    for path in paths {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        if text.trim().is_empty() {
            continue;
        }
        // Without the line that is wrong: it may hold a password.
        let said = |error: serde_saphyr::Error| format!("{}: {}", path.display(), error.without_snippet());
        let values: Value = serde_saphyr::from_str(&text).map_err(said)?;
        if !values.is_object() {
            return Err(format!("{} holds no map of values", path.display()));
        }
        merge(&mut all, values);
    }
    Ok(all)
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_broken_file_is_told_by_its_place_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("values.yaml");
        std::fs::write(&path, "a: 1\npassword: 'hunter2\n").unwrap();
        let said = merged(&[path]).unwrap_err();
        assert!(said.contains("line") && !said.contains("hunter2"), "{said}");
    }

    #[test]
    fn later_files_win_key_by_key() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let paths = [file("a.yaml", "web: {replicas: 1, tag: '1'}\nlist: [1, 2]\n"), file("b.yaml", "web: {tag: '2'}\nlist: [3]\n")];
        assert_eq!(merged(&paths).unwrap(), json!({ "web": { "replicas": 1, "tag": "2" }, "list": [3] }));
    }
}
