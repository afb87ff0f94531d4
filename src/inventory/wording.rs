//! Serde's words -> ours.

/// The key of serde's `unknown field` message.
pub(super) fn unknown_key(message: &str) -> Option<&str> {
    message.strip_prefix("unknown field `")?.split('`').next()
}

/// The key of serde's `missing field` message.
pub(super) fn missing_key(message: &str) -> Option<&str> {
    message.strip_prefix("missing field `")?.split('`').next()
}

/// What serde's message says it expected: everything in backticks after the first.
pub(super) fn expected(message: &str) -> Vec<&str> {
    message.split('`').skip(3).step_by(2).collect()
}

/// How a key that can't be left out is written.
pub(super) fn missing_cure(key: &str) -> String {
    match key {
        "hosts" => "add a `[[hosts]]` table with `name` and `address`".into(),
        "versions" => "add a `[versions]` table, e.g. `k3s = \"v1.35.5+k3s1\"`".into(),
        "open" => "add `open = [\"22/tcp\", \"80/tcp\", \"443/tcp\"]`; ssh's port must be among them".into(),
        _ => format!("add `{key} = \"…\"` to this table"),
    }
}

/// A word that would have been right in the place of an unknown one; empty: it was something else that did not fit.
pub(super) fn known_variant(message: &str) -> &str {
    if message.starts_with("unknown variant") { expected(message).first().copied().unwrap_or_default() } else { "" }
}

/// Message and cure for a value that does not fit its key.
pub(super) fn misfit(key: &str, message: &str) -> (String, String) {
    if let Some(rest) = message.strip_prefix("unknown variant `") {
        let word = rest.split('`').next().unwrap_or_default();
        let known = expected(message);
        return (format!("`{key}` can't be `{word}`"), super::suggest::cure(word, &known));
    }
    if message.contains("IP address syntax") {
        return (format!("`{key}` is not an IP address"), "write an address such as \"192.0.2.10\"".into());
    }
    let (found, wanted) = message.split_once(", expected ").unwrap_or((message, ""));
    let found = found.strip_prefix("invalid type: ").or_else(|| found.strip_prefix("invalid value: ")).unwrap_or(found);
    let found = match found.split_once(' ') {
        None if found == "map" => "a table".to_owned(),
        None if found == "sequence" => "a list".to_owned(),
        Some(("string", text)) => format!("the text {text}"),
        Some(("integer", number)) => format!("the number {number}"),
        Some(("boolean", flag)) => flag.to_owned(),
        _ => found.replace("floating point", "the number"),
    };
    (format!("`{key}` can't be {found}"), cure_for(key, wanted))
}

fn cure_for(key: &str, wanted: &str) -> String {
    match wanted {
        "u16" | "u32" | "u64" => "write a whole number, 0 or more, without quotes".into(),
        "a string" | "path string" => "write it in quotes".into(),
        "a sequence" if matches!(key, "hosts" | "jwt_keys" | "secrets" | "databases" | "releases" | "sites") => {
            format!("write the header as `[[{key}]]`")
        }
        "a sequence" => format!("write a list: `{key} = [\"…\"]`"),
        "a path or a list of paths" => format!("write a path in quotes, or several as a list: `{key} = [\"…\"]`"),
        wanted if wanted.starts_with("email, ") || wanted.starts_with("password:") => format!("write {wanted}, in quotes"),
        "a boolean" => "write true or false without quotes".into(),
        wanted if wanted == "a map" || wanted.starts_with("struct ") => format!("write a table: `[{key}]`"),
        _ => "see inventory.example.toml".into(),
    }
}
