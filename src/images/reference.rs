//! Image references in full, as containerd stores them.

/// `web` -> `docker.io/library/web:latest`, `shop/web:1` -> `docker.io/shop/web:1` (distribution's reference grammar).
#[must_use]
pub fn full(reference: &str) -> String {
    let (first, rest) = reference.split_once('/').unwrap_or(("", reference));
    let registry = first.contains(['.', ':']) || first == "localhost";
    let name = match (registry, first) {
        (true, _) => reference.to_owned(),
        (false, "") => format!("docker.io/library/{rest}"),
        (false, _) => format!("docker.io/{reference}"),
    };
    let tail = name.rsplit('/').next().unwrap_or_default();
    if tail.contains([':', '@']) { name } else { format!("{name}:latest") }
}

#[cfg(test)]
mod tests {
    #[test]
    fn references_are_completed() {
        for (short, full) in [
            ("web", "docker.io/library/web:latest"),
            ("shop/web:1", "docker.io/shop/web:1"),
            ("localhost/web:1", "localhost/web:1"),
            ("registry:5000/web", "registry:5000/web:latest"),
            ("quay.io/jetstack/cert-manager-controller:v1.20.3", "quay.io/jetstack/cert-manager-controller:v1.20.3"),
        ] {
            assert_eq!(super::full(short), full);
        }
    }
}
