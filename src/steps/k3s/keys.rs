//! Reading k3s' own keys as k3s reads them (contract §2.1).

use ipnet::IpNet;

use crate::inventory::K3s;

/// A network of the cluster's: its key in [k3s] and k3s' own choice (k3s-docs:cli/server).
pub const NETWORKS: [(&str, &str); 2] = [("cluster-cidr", "10.42.0.0/16"), ("service-cidr", "10.43.0.0/16")];

/// A repeatable key's items: a list, or a string with commas.
pub fn items<'a>(keys: &'a K3s, key: &str) -> Vec<&'a str> {
    match keys.0.get(key) {
        Some(serde_json::Value::Array(items)) => items.iter().filter_map(|item| item.as_str()).collect(),
        Some(serde_json::Value::String(text)) => text.split(',').map(str::trim).collect(),
        _ => Vec::new(),
    }
}

/// Whether a bundled part, e.g. `traefik`, is switched off.
pub fn disables(keys: &K3s, part: &str) -> bool {
    items(keys, "disable").contains(&part)
}

/// One of the cluster's networks, in both families if it has them.
pub fn networks(keys: &K3s, (key, default): (&str, &str)) -> Vec<IpNet> {
    let given = items(keys, key);
    let texts = if given.is_empty() { vec![default] } else { given };
    texts.iter().filter_map(|text| text.parse().ok()).collect()
}

/// Where the API server listens.
pub fn api_port(keys: &K3s) -> u64 {
    keys.0.get("https-listen-port").and_then(serde_json::Value::as_u64).unwrap_or(6443)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_and_strings_are_the_same_and_nothing_is_empty() {
        let keys = |value| K3s([("disable".to_owned(), value)].into());
        assert!(disables(&keys(json!(["traefik", "servicelb"])), "servicelb"));
        assert!(disables(&keys(json!("traefik, servicelb")), "servicelb"));
        assert!(!disables(&K3s::default(), "traefik"));
    }
}
