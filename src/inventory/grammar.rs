//! What names, versions and keys may look like. Each function says why a text is refused, or that it is not.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// RFC 1123 label: what Kubernetes takes for namespaces and most names.
pub(super) fn label(text: &str) -> Result<(), String> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if text.is_empty() {
        return Err("is empty".into());
    }
    if text.len() > 63 {
        return Err("is longer than 63 characters".into());
    }
    if let Some(odd) = text.chars().find(|c| !(c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '-')) {
        return Err(format!("holds `{odd}`; lower-case letters, digits and `-` may stand here"));
    }
    if !text.bytes().next().is_some_and(plain) || !text.bytes().last().is_some_and(plain) {
        return Err("must begin and end with a letter or a digit".into());
    }
    Ok(())
}

/// Labels joined by dots, 253 characters at most: what Kubernetes takes for nodes and Secrets.
pub(super) fn subdomain(text: &str) -> Result<(), String> {
    if text.len() > 253 {
        return Err("is longer than 253 characters".into());
    }
    if text.contains("..") || text.starts_with('.') || text.ends_with('.') {
        return Err("has an empty part beside a dot".into());
    }
    text.split('.').try_for_each(label)
}

/// A label's or a taint's key: a name, which a domain and `/` may precede (kubernetes.io: Labels and Selectors).
pub(super) fn qualified(text: &str) -> Result<(), String> {
    let name = match text.split_once('/') {
        Some((domain, name)) => subdomain(domain).map(|()| name)?,
        None => text,
    };
    if name.is_empty() { Err("is empty".into()) } else { value(name) }
}

/// A label's or a taint's value, which may be empty.
pub(super) fn value(text: &str) -> Result<(), String> {
    if text.len() > 63 {
        return Err("is longer than 63 characters".into());
    }
    if let Some(odd) = text.chars().find(|c| !(c.is_ascii_alphanumeric() || "-_.".contains(*c))) {
        return Err(format!("holds `{odd}`; letters, digits, `-`, `_` and `.` may stand here"));
    }
    let plain = |byte: Option<u8>| byte.is_none_or(|byte| byte.is_ascii_alphanumeric());
    if !plain(text.bytes().next()) || !plain(text.bytes().last()) {
        return Err("must begin and end with a letter or a digit".into());
    }
    Ok(())
}

/// A name in DNS under which a site is served: why it can't be one, and how it would be written.
pub(super) fn domain(text: &str) -> Result<(), (String, String)> {
    let refuse = |why: &str, cure: String| Err((why.to_owned(), cure));
    if let Some((_, rest)) = text.split_once("://") {
        let bare = rest.split(['/', ':']).next().unwrap_or_default();
        return refuse("has a scheme", format!("write the name alone: \"{bare}\""));
    }
    if text.contains(['/', ':']) && text.parse::<std::net::IpAddr>().is_err() {
        let bare = text.split(['/', ':']).next().unwrap_or_default();
        return refuse("has a port or a path", format!("write the name alone: \"{bare}\""));
    }
    if text.parse::<std::net::IpAddr>().is_ok() {
        return refuse("is an IP address; an Ingress and a certificate need a name", "write a name in DNS that points at the host".into());
    }
    if let Some(bare) = text.strip_suffix('.') {
        return refuse("ends with a dot", format!("write \"{bare}\""));
    }
    if text.starts_with("*.") {
        return refuse("is a wildcard; HTTP-01 can't prove one", "name each site by itself".into());
    }
    if !text.is_ascii() {
        let cure = match url::Host::parse(text) {
            Ok(host) => format!("write it in punycode: \"{host}\""),
            Err(_) => "write it in punycode".into(),
        };
        return refuse("is not ASCII", cure);
    }
    if text.chars().any(|c| c.is_ascii_uppercase()) {
        return refuse("has upper-case letters", format!("write \"{}\"", text.to_ascii_lowercase()));
    }
    subdomain(text).map_err(|why| (why, "write a name such as \"shop.example\"".into()))
}

/// `vX.Y.Z` and whether a suffix such as `+k3s1` must follow.
pub(super) fn version(text: &str, suffix: &str) -> bool {
    let Some((numbers, rest)) = text.strip_prefix('v').map(|rest| rest.find(['+', '-']).map_or((rest, ""), |at| rest.split_at(at))) else {
        return false;
    };
    let whole = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<_> = numbers.split('.').collect();
    let build = match rest.strip_prefix("-rc") {
        Some(rc) => rc.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.'),
        None => rest,
    };
    let built = if suffix.is_empty() { build.is_empty() } else { build.strip_prefix(suffix).is_some_and(whole) };
    parts.len() == 3 && parts.into_iter().all(whole) && built
}

/// A key of a Secret that becomes an environment variable (`envFrom` skips others without a word).
pub(super) fn variable(text: &str) -> bool {
    text.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// A key of a Secret that pods mount as a file (Kubernetes: `IsConfigMapKey`).
pub(super) fn secret_key(text: &str) -> Result<(), &'static str> {
    match text {
        "" => Err("is empty"),
        _ if text.len() > 253 => Err("is longer than 253 characters"),
        _ if text.starts_with("..") || text == "." => Err("is no name of a file"),
        _ if !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) => {
            Err("holds more than letters, digits, `-`, `_` and `.`")
        }
        _ => Ok(()),
    }
}

/// A public host key as `known_hosts` holds it: type and base64, and the type once more inside the base64 (RFC 4253 §6.6).
pub(super) fn host_key(text: &str) -> Result<(), String> {
    const KINDS: [&str; 5] = ["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa"];
    let fields: Vec<_> = text.split(' ').collect();
    let [kind, body] = fields.as_slice() else {
        return Err("must be two words, type and base64".into());
    };
    if !KINDS.contains(kind) {
        return Err(format!("begins with `{kind}`, which is no type of host key: {}", KINDS.join(", ")));
    }
    let bytes = STANDARD.decode(body).map_err(|_| "is not base64 after the type; it may have been cut".to_owned())?;
    let length = bytes.first_chunk::<4>().map(|length| u32::from_be_bytes(*length) as usize);
    if length != Some(kind.len()) || bytes.get(4..4 + kind.len()) != Some(kind.as_bytes()) || bytes.len() <= 4 + kind.len() {
        return Err(format!("is no {kind} key inside; it may have been cut"));
    }
    Ok(())
}

/// An e-mail address with a domain that could exist.
pub(super) fn email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(local, host)| {
        !local.is_empty()
            && local.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&byte))
            && host.contains('.')
            && domain(&host.to_ascii_lowercase()).is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for good in ["a", "0", "shop-1", &"a".repeat(63)] {
            assert_eq!(label(good), Ok(()), "{good}");
        }
        for bad in ["", "-a", "a-", "A", "a_b", "a.b", "ä", &"a".repeat(64)] {
            assert!(label(bad).is_err(), "{bad}");
        }
        assert_eq!(subdomain("node-1.rack-2"), Ok(()));
        for bad in ["", ".", "a..b", ".a", "a.", &"a.".repeat(130)] {
            assert!(subdomain(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn versions() {
        for good in ["v1.35.5+k3s1", "v1.36.0-rc1+k3s1"] {
            assert!(version(good, "+k3s"), "{good}");
        }
        for bad in ["", "v1.35.5", "1.35.5+k3s1", "v1.35+k3s1", "v1.35.5+k3s", "v1.35.5-k3s1", "v1.35.x+k3s1", "v1.35.5+k3s1 "] {
            assert!(!version(bad, "+k3s"), "{bad}");
        }
        assert!(version("v4.2.4", ""));
        assert!(!version("v4.2.4+g1", "") && !version("v4.2", ""));
    }

    #[test]
    fn addresses_of_people() {
        for good in ["ops@shop.example", "a.b+c@mail.shop.example"] {
            assert!(email(good), "{good}");
        }
        for bad in ["", "ops", "@shop.example", "ops@shop", "ops@@shop.example", "o ps@shop.example", "ops@shop.example, b@shop.example"] {
            assert!(!email(bad), "{bad}");
        }
    }
}
