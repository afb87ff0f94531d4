//! What is not shown of what others wrote: what may be a password. Rather one too many than one too few. There is one judgement, for values of
//! objects and releases, for files, and for k3s' settings.

use serde_json::Value;

/// Lists of a container in which people write passwords.
const LISTS: [&str; 3] = [".env[", ".args[", ".command["];

/// Parts of a key that name a secret, without hyphens and in lower case. The last two are k3s' (contract §2.3).
const PARTS: [&str; 16] = [
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
    "datastoreendpoint",
    "vpnauth",
];

/// Ends of a word that name one as well, and words that end so and don't.
const ENDS: [&str; 2] = ["pass", "pwd"];
const OTHERS: [&str; 2] = ["bypass", "compass"];

/// Ends of a key that says where a secret is; k3s' `secrets-encryption…` says how they are kept.
const PLACES: [&str; 3] = ["name", "ref", "file"];
const KEPT: &str = "secretsencryption";

/// From this length on a word of letters and digits looks like a key.
const OPAQUE: usize = 16;

/// Whether the value at this dotted path may be a secret.
pub fn is_hidden(path: &str, value: &Value) -> bool {
    let text = value.as_str();
    let plain = value.is_null() || value.is_boolean() || text.is_some_and(is_plain);
    (!plain && is_secret(path)) || LISTS.iter().any(|list| path.contains(list)) || text.is_some_and(holds_secret)
}

/// Whether a key, or one above it, names a secret. The name of a Secret is none.
pub fn is_secret(path: &str) -> bool {
    let plain = |key: &str| key.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    let last = path.rsplit('.').next().map(plain).unwrap_or_default();
    let place = last.starts_with(KEPT) || PLACES.iter().any(|end| last.ends_with(end));
    let named = |key: &str| PARTS.iter().any(|part| plain(key).contains(part)) || words(key).iter().any(|word| is_pass(word));
    !place && path.split(['.', '[', ']']).any(named)
}

fn is_pass(word: &str) -> bool {
    ENDS.iter().any(|end| word.ends_with(end)) && !OTHERS.iter().any(|other| word.ends_with(other))
}

/// `smtpPass` and `SMTP_PASS` are two words each.
fn words(key: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for letter in key.chars() {
        if !letter.is_ascii_alphanumeric() || (before.is_ascii_lowercase() && letter.is_ascii_uppercase()) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| letter.is_ascii_alphanumeric()) {
            word.push(letter.to_ascii_lowercase());
        }
        before = letter;
    }
    words
}

/// What is no secret, whatever its key.
fn is_plain(text: &str) -> bool {
    matches!(text, "true" | "false" | "null")
}

/// Whether a text may hold one: an address with a password, a key in PEM, a line that sets one, a long word of letters and digits.
pub fn holds_secret(text: &str) -> bool {
    let address = text.split_whitespace().any(|word| word.split_once("://").is_some_and(|(_, rest)| rest.contains('@')));
    // The name of an artifact by its digest is none.
    let named = text.split("sha256:").enumerate();
    let mut rest = named.map(|(at, part)| if at == 0 { part } else { part.trim_start_matches(|c: char| c.is_ascii_hexdigit()) });
    address || text.contains("-----BEGIN") || text.lines().any(sets_secret) || rest.any(has_key)
}

fn has_key(text: &str) -> bool {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && !"_+".contains(c)).filter(|word| word.len() >= OPAQUE);
    let mut mixed = words.map(|word| word.contains(|c: char| c.is_ascii_digit()) && word.contains(|c: char| c.is_ascii_alphabetic()));
    mixed.any(|mixed| mixed)
}

/// `key: value`, `key=value`, `--key value`, anywhere in a line and quoted or not; `-t` is k3s' token.
fn sets_secret(line: &str) -> bool {
    let ends = |c: char| c.is_whitespace() || "\"'{}[](),;&?".contains(c);
    let flag = |word: &str| match word.strip_prefix("--") {
        Some(key) => !key.contains('=') && is_secret(key),
        None => word == "-t" && line.contains("k3s"),
    };
    let sets = |(at, sign): (usize, char)| {
        let (before, value) = (&line[..at], &line[at + 1..]);
        // A colon in a word, as in `web:1.0`, sets nothing.
        let separates = sign == '=' || before.ends_with(['"', '\'']) || value.is_empty() || value.starts_with(ends);
        let key = before.trim_end_matches(|c: char| ends(c) || c == '+').rsplit(ends).next().unwrap_or_default();
        separates && is_secret(key) && !is_plain(value.trim_matches(ends))
    };
    line.split(ends).any(flag) || line.char_indices().filter(|(_, sign)| ":=".contains(*sign)).any(sets)
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
            ("smtp.pass", json!("hunter2")),
            ("smtpPass", json!("hunter2")),
            ("PGPASS", json!("x")),
            ("db_pwd", json!("x")),
            ("note", json!("Server=db;User=shop;Password=x")),
            ("image", json!("docker.io/shop/web@sha256:0123456789abcdef0123456789abcdef re_AbCdEf0123456789")),
            ("database.url", json!("postgres://shop:hunter2@db/shop")),
            ("mail.resend", json!("re_AbCdEf0123456789")),
            ("tls.crt", json!("-----BEGIN CERTIFICATE-----")),
            ("spec.containers[web].env[X].value", json!("x")),
            ("data.app", json!("host: db\npassword: hunter2\n")),
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
            ("proxy.bypass", json!("localhost")),
            ("compass", json!("north")),
            ("tls.passthrough", json!("yes")),
            ("smtp.passFile", json!("/run/pass")),
            ("secrets-encryption-provider", json!("secretbox")),
            ("image.token", json!("true")),
            ("image", json!("docker.io/shop/token:1.0")),
            ("data.page", json!("<html>\n<h1>hello</h1>\n")),
        ];
        for (path, value) in shown {
            assert!(!is_hidden(path, &value), "{path} {value}");
        }
    }

    #[test]
    fn a_file_that_sets_a_secret_is_known_however_it_is_written() {
        let files = [
            "token: x",
            "a: 1\n\"agent-token\": x",
            "  token+: x",
            "{\"a\": 1, \"password\": \"x\"}",
            "# token: x",
            "datastore-endpoint : 'x'",
            "etcd-s3-secret-key: x",
            "vpn-auth: x",
            "ExecStart=/usr/local/bin/k3s server '--token' 'x'",
            "ExecStart=k3s agent --token=x",
            "ExecStart=k3s server -t x",
            "Environment=\"K3S_TOKEN=x\"",
            "[Service]\nEnvironment=AWS_SECRET_ACCESS_KEY=x",
            "Environment=\"A=b\" \"SMTP_PASS=x\"",
            "Environment=HTTPS_PROXY=http://me:x@proxy:3128",
        ];
        for text in files {
            assert!(holds_secret(text), "{text}");
        }
        let unit =
            "[Service]\nEnvironmentFile=-/etc/systemd/system/k3s.service.env\nLimitNOFILE=1048576\nExecStart=/usr/local/bin/k3s server\n";
        let config = "secrets-encryption: true\nagent-token-file: /etc/x\nkubelet-arg: [\"authentication-token-webhook=true\"]";
        let others = ["ExecStartPre=/sbin/iptables -t nat -L", "PasswordAuthentication no"];
        for text in [unit, config].into_iter().chain(others) {
            assert!(!holds_secret(text), "{text}");
        }
    }
}
