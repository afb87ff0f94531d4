//! Reading k3s' own keys as k3s reads them (contract §2.1).

use ipnet::IpNet;
use serde_json::Value;

use super::K3s;
use crate::model::API_PORT;

/// A network of the cluster's: its key in [k3s] and k3s' own choice (k3s-docs:cli/server).
pub const NETWORKS: [(&str, &str); 2] = [("cluster-cidr", "10.42.0.0/16"), ("service-cidr", "10.43.0.0/16")];

/// The texts of a value: one text, or a list of them; none: it is neither.
pub fn texts(value: &Value) -> Option<Vec<&str>> {
    match value {
        Value::String(text) => Some(vec![text]),
        Value::Array(items) => items.iter().map(Value::as_str).collect(),
        _ => None,
    }
}

/// The items of a repeatable key's value: k3s splits every text at its commas.
pub fn parts(value: &Value) -> Vec<&str> {
    texts(value).into_iter().flatten().flat_map(|text| text.split(',').map(str::trim)).collect()
}

/// A repeatable key's items.
pub fn items<'a>(keys: &'a K3s, key: &str) -> Vec<&'a str> {
    keys.0.get(key).map(parts).unwrap_or_default()
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
    keys.0.get("https-listen-port").and_then(Value::as_u64).unwrap_or(API_PORT.into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_and_strings_are_the_same_and_nothing_is_empty() {
        let keys = |value| K3s([("disable".to_owned(), value)].into());
        for both in [json!(["traefik", "servicelb"]), json!("traefik, servicelb"), json!(["traefik,servicelb"])] {
            assert!(disables(&keys(both.clone()), "traefik") && disables(&keys(both.clone()), "servicelb"), "{both}");
        }
        assert!(!disables(&K3s::default(), "traefik"));
    }
}
