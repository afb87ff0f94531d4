//! How one value differs from another, in words that give no secret away.

use serde_json::Value;

use super::file::diff;
use super::hidden;

/// Longest value that a line shows.
const SHOWN: usize = 60;

/// A difference, as far as it may be shown.
pub enum Difference {
    /// Short enough for a line.
    Values(String, String),
    /// Of several lines.
    Texts(String, String),
    /// It may hold secrets.
    Hidden,
}

impl Difference {
    /// Between what stands at `path` now and what must stand there. Null is nothing.
    pub fn of(path: &str, one: &Value, other: &Value) -> Self {
        if hidden::is_hidden(path, one) || hidden::is_hidden(path, other) {
            return Self::Hidden;
        }
        match (one, other) {
            (Value::String(one), Value::String(other)) if one.contains('\n') || other.contains('\n') => {
                Self::Texts(one.clone(), other.clone())
            }
            _ => Self::Values(shown(one), shown(other)),
        }
    }

    /// In words, `aside` before what may have many lines.
    pub fn told(&self, of: &str, aside: &str) -> String {
        match self {
            Self::Values(one, other) => format!("{of} {one} -> {other}{aside}"),
            Self::Texts(one, other) => format!("{of} differs{aside}:\n{}", diff(of, one, other)),
            Self::Hidden => format!("{of} differs{aside} (not shown: it may hold secrets)"),
        }
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "nothing".into(),
        Value::Array(items) => format!("{} items", items.len()),
        Value::Object(fields) if fields.len() == 1 => "1 field".to_owned(),
        Value::Object(fields) => format!("{} fields", fields.len()),
        other => {
            let text = other.to_string();
            if text.chars().count() > SHOWN { format!("{}…", text.chars().take(SHOWN).collect::<String>()) } else { text }
        }
    }
}
