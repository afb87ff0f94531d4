//! What of other people's values is not shown: what may be a password. Rather one too many than one too few.

use serde_json::Value;

/// Lists of a container in which people write passwords.
const LISTS: [&str; 3] = [".env[", ".args[", ".command["];

/// Parts of a key that name a secret, without hyphens and in lower case.
const WORDS: [&str; 14] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "privatekey",
    "signingkey",
    "encryptionkey",
    "credential",
    "authorization",
    "dsn",
    "webhook",
];

/// From this length on a word of letters and digits looks like a key.
const OPAQUE: usize = 16;

/// Whether the value at this dotted path may be a secret.
pub fn is_hidden(path: &str, value: &Value) -> bool {
    let nothing = value.is_null();
    let named = !nothing && !value.is_boolean() && is_secret(path);
    named || LISTS.iter().any(|list| path.contains(list)) || value.as_str().is_some_and(holds_secret)
}

/// Whether a key, or one above it, names a secret. The name of a Secret is none.
fn is_secret(path: &str) -> bool {
    let plain = |key: &str| key.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    let last = path.rsplit('.').next().map(plain).unwrap_or_default();
    let name = last.ends_with("name") || last.ends_with("ref");
    !name && path.split(['.', '[', ']']).map(plain).any(|key| WORDS.iter().any(|word| key.contains(word)))
}

/// Whether a text may hold one: an address with a password, a key in PEM, a line that sets one, a long word of letters and digits.
fn holds_secret(text: &str) -> bool {
    let address = text.split_whitespace().any(|word| word.split_once("://").is_some_and(|(_, rest)| rest.contains('@')));
    let set = text.lines().filter_map(|line| line.split_once([':', '='])).any(|(key, _)| is_secret(key));
    let several = text.contains('\n');
    // The name of an artifact by its digest is none.
    let named = text.split("sha256:").enumerate();
    let rest = named.map(|(at, part)| if at == 0 { part } else { part.trim_start_matches(|c: char| c.is_ascii_hexdigit()) });
    let words = rest.flat_map(|part| part.split(|c: char| !c.is_ascii_alphanumeric() && !"_+=".contains(c)));
    let opaque = words
        .filter(|word| word.len() >= OPAQUE)
        .any(|word| word.contains(|c: char| c.is_ascii_digit()) && word.contains(|c: char| c.is_ascii_alphabetic()));
    address || text.contains("-----BEGIN") || (several && set) || opaque
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_named_like_a_secret_or_looks_like_one_is_hidden() {
        let hidden = [
            ("database.password", json!("hunter2")),
            ("smtp.password", json!(123_456)),
            ("secrets.FOO", json!("x")),
            ("api-key", json!("x")),
            ("database.url", json!("postgres://shop:hunter2@db/shop")),
            ("mail.resend", json!("re_AbCdEf0123456789")),
            ("tls.crt", json!("-----BEGIN CERTIFICATE-----")),
            ("spec.containers[web].env[X].value", json!("x")),
            ("data.app", json!("host: db\npassword: hunter2\n")),
            ("image", json!("docker.io/shop/web@sha256:0123456789abcdef0123456789abcdef re_AbCdEf0123456789")),
        ];
        for (path, value) in hidden {
            assert!(is_hidden(path, &value), "{path} {value}");
        }
    }

    #[test]
    fn what_people_want_to_read_is_shown() {
        let shown = [
            ("ingress.clusterIssuer", json!("letsencrypt-production")),
            ("image", json!("docker.io/shop/web@sha256:0123456789abcdef0123456789abcdef")),
            ("replicas", json!(3)),
            ("spec.tls[0].secretName", json!("shop-tls")),
            ("secrets.create", json!(true)),
            ("data.page", json!("<html>\n<h1>hello</h1>\n")),
        ];
        for (path, value) in shown {
            assert!(!is_hidden(path, &value), "{path} {value}");
        }
    }
}
