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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// Letters and digits that stand nowhere else.
    const CANARY: &str = "cAnAry0cAnAry1cAnAry2";

    /// A key that names a secret, as people write them.
    fn naming() -> impl Strategy<Value = String> {
        let word = proptest::sample::select(vec![
            "Password",
            "passwd",
            "PASSPHRASE",
            "secret",
            "auth_token",
            "api-key",
            "accessKey",
            "PRIVATE_KEY",
            "signing-key",
            "encryptionKey",
            "credentials",
            "authorization",
            "dsn",
            "webhook-url",
        ]);
        ("[a-z]{0,5}", word, "(\\[[0-9]\\])?").prop_map(|(before, word, after)| format!("spec.{before}{word}{after}"))
    }

    /// Texts around it that give it no meaning.
    fn around() -> impl Strategy<Value = (String, String)> {
        ("(\\PC|\\n){0,20}", "(\\PC|\\n){0,20}")
    }

    fn secrets() -> impl Strategy<Value = (String, String)> {
        let plain = Just("spec.note".to_owned());
        prop_oneof![
            (naming(), around()).prop_map(|(path, (before, after))| (path, format!("{before}hunter2{after}"))),
            (proptest::sample::select(vec!["spec.env[X].value", "spec.args[2]", "spec.command[0]"]), around())
                .prop_map(|(path, (before, after))| (path.to_owned(), format!("{before}hunter2{after}"))),
            (plain.clone(), around(), "[a-z]{1,8}", "[a-z]{1,8}")
                .prop_map(|(path, (before, after), scheme, user)| { (path, format!("{before} {scheme}://{user}:hunter2@db/{after}")) }),
            (plain.clone(), around()).prop_map(|(path, (before, after))| (path, format!("{before}-----BEGIN hunter2{after}"))),
            (plain, around()).prop_map(|(path, (before, after))| (path, format!("{before} {CANARY} {after}"))),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]
        #[test]
        fn what_may_be_a_secret_is_in_no_difference((path, text) in secrets(), new in any::<bool>()) {
            let (secret, other) = (json!(text), json!("another"));
            let (one, other) = if new { (other, secret) } else { (secret, other) };
            let told = Difference::of(&path, &one, &other).told("release shop", " in the cluster");
            prop_assert!(!told.contains("hunter2") && !told.contains(CANARY), "{}", told);
        }
    }
}
