//! `[[secrets]]`: which keys go where. Values come in `env.rs`.

use std::collections::BTreeMap;

use crate::inventory::problem::Flaws;
use crate::inventory::secret_source::CONSUMERS;
use crate::inventory::suggest;
use crate::inventory::tree::Spot;
use crate::inventory::{Inventory, SecretSource, fault, grammar};
use crate::model::Secret;

pub(super) fn lint(inventory: &Inventory, root: Spot<'_>, flaws: &mut Flaws) {
    for (source, spot) in super::placed(&inventory.secrets, root.key("secrets"), root) {
        whence(source, spot, flaws);
        keys(source, spot, flaws);
        about(source, spot, flaws);
        consumers(source, spot, flaws);
        public(source, &inventory.placeholders, spot, flaws);
    }
}

fn whence(source: &SecretSource, spot: Spot<'_>, flaws: &mut Flaws) {
    if source.allow.is_empty() && source.prompt.is_empty() && tables(source).iter().all(|(_, keys)| keys.is_empty()) {
        flaws.error(
            spot,
            format!("Secret `{}` would be empty", source.name),
            "name keys in `allow` (with `env_file`), or in one of `public`, `files`, `commands`, `generate` and `prompt`",
        );
    } else if source.env_file.is_empty() && !source.allow.is_empty() {
        flaws.error(spot.key("allow"), "`allow` names keys, and there is no `env_file` to take them from", "add `env_file = \".env\"`");
    } else if !source.env_file.is_empty() && source.allow.is_empty() {
        flaws.error(spot.key("env_file"), "`env_file` is named, and `allow` takes nothing from it", "name the keys to take in `allow`");
    }
}

/// Keys that do not come out of `env_file`, by where they stand.
fn tables(source: &SecretSource) -> [(&'static str, Vec<&String>); 4] {
    [
        ("public", source.public.keys().collect()),
        ("files", source.files.keys().collect()),
        ("commands", source.commands.keys().collect()),
        ("generate", source.generate.keys().collect()),
    ]
}

/// Every key that the Secret would have, once.
fn keys(source: &SecretSource, spot: Spot<'_>, flaws: &mut Flaws) {
    let mut seen = BTreeMap::new();
    for (key, spot) in source.allow.iter().zip(spot.key("allow").items()) {
        variable(key, spot, flaws);
        refused(key, source, spot, flaws);
        if seen.insert(key, "allow").is_some() {
            flaws.error(spot, format!("`{key}` is allowed twice"), "name it once");
        }
    }
    for (table, keys) in tables(source) {
        for key in keys {
            let spot = spot.key(table).name(key);
            if table != "files" {
                variable(key, spot, flaws);
            } else if let Err(why) = grammar::secret_key(key) {
                flaws.error(spot, format!("`{key}` {why}"), "write a name such as \"tls.p12\"");
            }
            refused(key, source, spot, flaws);
            if let Some(first) = seen.insert(key, table) {
                flaws.error(spot, format!("`{key}` is in `{table}` and in `{first}`"), "keep it in one of the two");
            }
        }
    }
    for (key, spot) in source.prompt.iter().zip(spot.key("prompt").items()) {
        variable(key, spot, flaws);
        refused(key, source, spot, flaws);
        match seen.insert(key, "prompt") {
            None => {}
            Some("prompt") => flaws.error(spot, format!("`{key}` is asked for twice"), "name it once"),
            Some(first) => flaws.error(spot, format!("`{key}` is in `prompt` and in `{first}`"), "keep it in one of the two"),
        }
    }
    for (key, program) in &source.commands {
        if program.command.iter().all(String::is_empty) {
            flaws.error(
                spot.key("commands").key(key),
                format!("`{key}` names no program"),
                "write a program and its arguments: [\"pass\", \"show\", \"NAME\"]",
            );
        }
    }
}

/// What is said about keys that are not there.
fn about(source: &SecretSource, spot: Spot<'_>, flaws: &mut Flaws) {
    let allowed = |key: &str| source.allow.iter().any(|allowed| allowed == key);
    let stray = |key: &str, spot: Spot<'_>, what: &str, flaws: &mut Flaws| {
        if !allowed(key) {
            let cure = match suggest::nearest(key, source.allow.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "add it to `allow`, or take it out here".to_owned(),
            };
            flaws.error(spot, format!("`{key}` {what}, and `allow` does not name it"), cure);
        }
    };
    for (key, spot) in source.may_be_empty.iter().zip(spot.key("may_be_empty").items()) {
        stray(key, spot, "may be empty", flaws);
    }
    for (key, spot) in source.optional.iter().zip(spot.key("optional").items()) {
        stray(key, spot, "is optional", flaws);
        if source.may_be_empty.contains(key) {
            flaws.error(
                spot,
                format!("`{key}` is in `optional` and in `may_be_empty`"),
                "without a value, pods get it empty or not at all: keep one",
            );
        }
    }
    for (key, origin) in &source.rename {
        stray(key, spot.key("rename").name(key), "is a new name", flaws);
        variable(origin, spot.key("rename").key(key), flaws);
    }
    let elsewhere = |key: &String| source.public.contains_key(key) || source.commands.contains_key(key) || source.prompt.contains(key);
    for key in source.shape.keys().filter(|key| !elsewhere(key)) {
        stray(key, spot.key("shape").name(key), "has a shape", flaws);
    }
}

fn consumers(source: &SecretSource, spot: Spot<'_>, flaws: &mut Flaws) {
    for (consumer, spot) in source.consumers.iter().zip(spot.key("consumers").items()) {
        let known = consumer
            .split_once('/')
            .is_some_and(|(kind, name)| CONSUMERS.into_iter().any(|(word, _)| word == kind) && grammar::subdomain(name).is_ok());
        if !known {
            let words = CONSUMERS.map(|(word, _)| format!("\"{word}/NAME\""));
            flaws.error(spot, format!("`{consumer}` is no workload"), format!("write {}", words.join(", ")));
        }
    }
}

fn public(source: &SecretSource, placeholders: &[String], spot: Spot<'_>, flaws: &mut Flaws) {
    for (key, value) in &source.public {
        if let Some(fault) = fault(&Secret::new(value.as_str()), source.shape.get(key).copied(), placeholders) {
            flaws.error(spot.key("public").key(key), format!("`{key}` {fault}"), "write the real value");
        }
    }
}

fn variable(key: &str, spot: Spot<'_>, flaws: &mut Flaws) {
    if !grammar::variable(key) {
        let message = format!("`{key}` is no name of an environment variable");
        flaws.error(spot, message, "letters, digits and `_`, no digit first; Kubernetes skips others without a word");
    }
}

fn refused(key: &str, source: &SecretSource, spot: Spot<'_>, flaws: &mut Flaws) {
    let of_compose = source.allow.iter().any(|allowed| allowed == key) || source.public.contains_key(key);
    if let Some(why) = denied(key).filter(|_| of_compose) {
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

/// Keys of a compose file that override the chart's own settings in every pod, through `envFrom`.
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
