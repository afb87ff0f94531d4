//! What a pod can read of a Secret.

use serde_json::Value;

/// What Kubernetes gives files that say nothing else (API reference, SecretVolumeSource).
const MODE: i64 = 0o644;

/// How a pod reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reads {
    /// Not at all.
    Nothing,
    /// From its environment.
    Variable,
    /// From a file with these permission bits; of several the most open one.
    File {
        /// Permission bits.
        mode: i64,
    },
}

/// How a pod of this spec reads one of these keys of a Secret.
pub fn reads(spec: &Value, secret: &str, keys: &[&str]) -> Reads {
    let volumes = spec["volumes"].as_array().into_iter().flatten().filter_map(|volume| file(volume, secret, keys));
    let files = volumes.max_by_key(|mode| (mode & 0o004, *mode)).map(|mode| Reads::File { mode });
    let containers = ["initContainers", "containers"].iter().flat_map(|list| spec[*list].as_array()).flatten();
    files.unwrap_or_else(|| if containers.into_iter().any(|one| variable(one, secret, keys)) { Reads::Variable } else { Reads::Nothing })
}

/// The permission bits under which a volume shows one of the keys.
fn file(volume: &Value, secret: &str, keys: &[&str]) -> Option<i64> {
    let plain = &volume["secret"];
    if plain["secretName"] == secret {
        return shown(&plain["items"], keys, plain["defaultMode"].as_i64().unwrap_or(MODE));
    }
    let projected = &volume["projected"];
    let mode = projected["defaultMode"].as_i64().unwrap_or(MODE);
    let own = projected["sources"].as_array().into_iter().flatten().filter(|source| source["secret"]["name"] == secret);
    own.filter_map(|source| shown(&source["secret"]["items"], keys, mode)).max_by_key(|mode| (mode & 0o004, *mode))
}

/// Without a list, all keys are shown.
fn shown(items: &Value, keys: &[&str], mode: i64) -> Option<i64> {
    let Some(items) = items.as_array() else { return Some(mode) };
    let own = items.iter().filter(|item| item["key"].as_str().is_some_and(|key| keys.contains(&key)));
    own.map(|item| item["mode"].as_i64().unwrap_or(mode)).max_by_key(|mode| (mode & 0o004, *mode))
}

fn variable(container: &Value, secret: &str, keys: &[&str]) -> bool {
    let all = container["envFrom"].as_array().into_iter().flatten().any(|from| from["secretRef"]["name"] == secret);
    let one = container["env"].as_array().into_iter().flatten().map(|variable| &variable["valueFrom"]["secretKeyRef"]);
    all || one.into_iter().any(|from| from["name"] == secret && from["key"].as_str().is_some_and(|key| keys.contains(&key)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(spec: Value) -> Reads {
        reads(&spec, "jwt-keys", &["jwt_private.pem"])
    }

    fn volume(source: Value) -> Reads {
        of(json!({ "volumes": [{ "name": "a", "emptyDir": {} }, source] }))
    }

    #[test]
    fn a_whole_secret_shows_the_key_and_items_choose() {
        let secret = |more: Value| {
            let mut secret = json!({ "secretName": "jwt-keys" });
            secret.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            volume(json!({ "secret": secret }))
        };
        assert_eq!(secret(json!({})), Reads::File { mode: 0o644 });
        assert_eq!(secret(json!({ "defaultMode": 0o440 })), Reads::File { mode: 0o440 });
        assert_eq!(secret(json!({ "items": [{ "key": "jwt_public.pem" }] })), Reads::Nothing);
        let private = json!({ "key": "jwt_private.pem", "mode": 0o400 });
        assert_eq!(secret(json!({ "defaultMode": 0o644, "items": [private] })), Reads::File { mode: 0o400 });
        assert_eq!(volume(json!({ "secret": { "secretName": "other" } })), Reads::Nothing);
    }

    #[test]
    fn projected_volumes_show_it_too() {
        let source = json!({ "secret": { "name": "jwt-keys" } });
        assert_eq!(
            volume(json!({ "projected": { "defaultMode": 0o400, "sources": [{ "configMap": {} }, source] } })),
            Reads::File { mode: 0o400 }
        );
    }

    #[test]
    fn variables_hold_it_too() {
        let env = |container: Value| of(json!({ "containers": [{}], "initContainers": [container] }));
        assert_eq!(env(json!({ "envFrom": [{ "secretRef": { "name": "jwt-keys" } }] })), Reads::Variable);
        let key = |key: &str| json!({ "env": [{ "valueFrom": { "secretKeyRef": { "name": "jwt-keys", "key": key } } }] });
        assert_eq!((env(key("jwt_private.pem")), env(key("jwt_public.pem"))), (Reads::Variable, Reads::Nothing));
    }
}
