//! `[[secrets]]`: which keys go where. Values come in `env.rs`.

use std::collections::BTreeSet;

use crate::inventory::form::fault;
use crate::inventory::problem::Flaws;
use crate::inventory::suggest;
use crate::inventory::tree::Spot;
use crate::inventory::{Inventory, SecretSource, grammar};
use crate::model::Secret;

pub(super) fn lint(inventory: &Inventory, root: Spot<'_>, flaws: &mut Flaws) {
    for (source, spot) in inventory.secrets.iter().zip(root.key("secrets").items()) {
        whence(source, spot, flaws);
        keys(source, &inventory.placeholders, spot, flaws);
    }
}

fn whence(source: &SecretSource, spot: Spot<'_>, flaws: &mut Flaws) {
    if source.allow.is_empty() && source.public.is_empty() {
        flaws.error(
            spot,
            format!("Secret `{}` would be empty", source.name),
            "name keys in `allow` (with `env_file`) or values in `public`",
        );
    } else if source.env_file.is_none() && !source.allow.is_empty() {
        flaws.error(spot.key("allow"), "`allow` names keys, and there is no `env_file` to take them from", "add `env_file = \".env\"`");
    } else if source.env_file.is_some() && source.allow.is_empty() {
        flaws.error(spot.key("env_file"), "`env_file` is named, and `allow` takes nothing from it", "name the keys to take in `allow`");
    }
}

fn keys(source: &SecretSource, placeholders: &[String], spot: Spot<'_>, flaws: &mut Flaws) {
    let mut seen = BTreeSet::new();
    for (key, spot) in source.allow.iter().zip(spot.key("allow").items()) {
        one(key, source, spot, flaws);
        if !seen.insert(key) {
            flaws.error(spot, format!("`{key}` is allowed twice"), "name it once");
        }
    }
    for (key, spot) in source.may_be_empty.iter().zip(spot.key("may_be_empty").items()) {
        if !source.allow.contains(key) {
            let cure = match suggest::nearest(key, source.allow.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "add it to `allow`, or take it out here".to_owned(),
            };
            flaws.error(spot, format!("`{key}` may be empty, and `allow` does not name it"), cure);
        }
    }
    for (key, value) in &source.public {
        let spot = spot.key("public");
        one(key, source, spot.name(key), flaws);
        if source.allow.contains(key) {
            flaws.error(spot.name(key), format!("`{key}` is in `public` and in `allow`"), "keep it in one of the two");
        }
        if let Some(fault) = fault(&Secret::new(value.as_str()), source.shape.get(key).copied(), placeholders) {
            flaws.error(spot.key(key), format!("`{key}` {fault}"), "write the real value");
        }
    }
    for key in source.shape.keys().filter(|key| !source.allow.contains(*key) && !source.public.contains_key(*key)) {
        let message = format!("`{key}` has a shape, and neither `allow` nor `public` names it");
        flaws.error(spot.key("shape").name(key), message, "add it there, or take it out here");
    }
}

fn one(key: &str, source: &SecretSource, spot: Spot<'_>, flaws: &mut Flaws) {
    if !grammar::variable(key) {
        let message = format!("`{key}` is no name of an environment variable");
        flaws.error(spot, message, "letters, digits and `_`, no digit first; Kubernetes skips others without a word");
    }
    if let Some(why) = denied(key) {
        flaws.error(spot, format!("`{key}` must not reach pods: {why}"), "take it out; the chart sets it for the workload that needs it");
    } else if let Some(pattern) = source.deny.iter().find(|pattern| fits(key, pattern)) {
        flaws.error(spot, format!("`{key}` must not reach pods: `deny` has `{pattern}`"), "take it out, or make `deny` narrower");
    }
}

/// `*` stands for any characters, or none.
fn fits(key: &str, pattern: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return key == pattern };
    key.strip_prefix(head).is_some_and(|tail| (0..=tail.len()).any(|at| tail.is_char_boundary(at) && fits(&tail[at..], rest)))
}

/// Keys of a compose file that override the chart's own settings in every pod, through `envFrom` (requirements S3-52).
fn denied(key: &str) -> Option<&'static str> {
    match key {
        "DATABASE_URL" | "REDIS_URL" => Some("it points at the compose network"),
        _ if key.starts_with("POSTGRES_") => Some("it belongs to the compose database"),
        _ if key.starts_with("COMPOSE_") || key.starts_with("DOCKER_") => Some("it steers compose itself"),
        _ if key.ends_with("_KEY_PATH") => Some("it is a path on the developer's disk"),
        "PATH" | "HOME" | "HOSTNAME" | "LD_PRELOAD" | "LD_LIBRARY_PATH" => Some("it steers the process itself"),
        _ if key.starts_with("KUBERNETES_") => Some("the kubelet sets it"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (key, pattern) in [("A", "A"), ("STRIPE_KEY", "STRIPE_*"), ("DB_PASSWORD", "*_PASSWORD"), ("A_KEY_B", "A*K*B"), ("A", "*")] {
            assert!(fits(key, pattern), "{key} {pattern}");
        }
        for (key, pattern) in
            [("AB", "A"), ("A", "AB"), ("XSTRIPE_", "STRIPE_*"), ("DB_PASSWORDS", "*_PASSWORD"), ("AKC", "A*K*B"), ("A", "")]
        {
            assert!(!fits(key, pattern), "{key} {pattern}");
        }
    }
}
