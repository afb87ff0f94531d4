//! Image references in full, as containerd stores them.

use oci_client::{ParseError, Reference};

/// `web` -> `docker.io/library/web:latest`, `shop/web:1` -> `docker.io/shop/web:1` (distribution's reference grammar). A digest outweighs
/// a tag beside it, as it does for containerd.
///
/// # Errors
/// It is no reference, in words that begin with it.
pub fn full_reference(reference: &str) -> Result<String, String> {
    parsed_reference(reference).map(|parsed| parsed.whole())
}

/// The same, taken apart.
///
/// # Errors
/// As `full_reference`.
pub fn parsed_reference(reference: &str) -> Result<Reference, String> {
    let refused = |why: &str| format!("`{reference}` is no image reference: {why}");
    if reference.len() == 64 && reference.bytes().all(|byte| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase()) {
        return Err(refused("64 hex digits are an image's id; name it by repository and tag"));
    }
    let lower = "a repository is written in lower case";
    let parsed = Reference::try_from(reference).map_err(|error| match error {
        ParseError::ReferenceInvalidFormat if Reference::try_from(reference.to_lowercase()).is_ok() => refused(lower),
        ParseError::ReferenceInvalidFormat => refused("it must look like registry.example/shop/web:1"),
        other => refused(&other.to_string()),
    })?;
    // What looks like a registry in upper case but is none: the parser takes it for the first part of the repository.
    if parsed.repository().chars().any(char::is_uppercase) {
        return Err(refused(lower));
    }
    Ok(match parsed.digest() {
        Some(digest) => parsed.clone_with_digest(digest.to_owned()),
        None => parsed,
    })
}

#[cfg(test)]
mod tests {
    use super::full_reference;

    const DIGEST: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

    #[test]
    fn references_are_completed() {
        for (short, long) in [
            ("web", "docker.io/library/web:latest"),
            ("web:1", "docker.io/library/web:1"),
            ("shop/web:1", "docker.io/shop/web:1"),
            ("docker.io/web", "docker.io/library/web:latest"),
            ("index.docker.io/shop/web", "docker.io/shop/web:latest"),
            ("localhost/web:1", "localhost/web:1"),
            ("localhost:5000/web", "localhost:5000/web:latest"),
            ("registry:5000/web", "registry:5000/web:latest"),
            ("web:5000", "docker.io/library/web:5000"),
            ("Registry.Example/web:V1", "Registry.Example/web:V1"),
            ("127.0.0.1:5000/a/b/c:1", "127.0.0.1:5000/a/b/c:1"),
            ("quay.io/jetstack/cert-manager-controller:v1.20.3", "quay.io/jetstack/cert-manager-controller:v1.20.3"),
            ("a__b/c-d.e_f", "docker.io/a__b/c-d.e_f:latest"),
        ] {
            assert_eq!(full_reference(short).as_deref(), Ok(long));
        }
    }

    #[test]
    fn a_digest_outweighs_a_tag() {
        let long = Ok(format!("docker.io/library/web@{DIGEST}"));
        assert_eq!(full_reference(&format!("web@{DIGEST}")), long);
        assert_eq!(full_reference(&format!("web:1@{DIGEST}")), long);
    }

    #[test]
    fn what_is_no_reference_is_refused_with_the_reason() {
        for (text, why) in [
            ("", "at least one component"),
            ("Web", "lower case"),
            ("Shop/web:1", "lower case"),
            ("ghcr.io/Shop/web", "lower case"),
            (&DIGEST["sha256:".len()..], "an image's id"),
            ("web:", "must look like"),
            ("web:a b", "must look like"),
            ("-web", "must look like"),
            ("web@sha256:44", "must look like"),
            ("web@sha256:44136fa355b3678a1146ad16f7e8649e94fb", "digest length"),
            ("https://ghcr.io/shop/web", "must look like"),
            (&format!("web:{}", "t".repeat(129)), "must look like"),
            (&"a/".repeat(140), "must look like"),
            (&format!("{}x", "a/".repeat(140)), "255 characters"),
        ] {
            let said = full_reference(text).unwrap_err();
            assert!(said.contains(why) && said.starts_with(&format!("`{text}`")), "{said}");
        }
    }
}
