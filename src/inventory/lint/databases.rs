//! `[[databases]]`: what a rotation could not do, or what would undo it.

use std::collections::BTreeSet;

use crate::inventory::problem::Flaws;
use crate::inventory::secret_source::workload;
use crate::inventory::tree::Spot;
use crate::inventory::{Database, Inventory, grammar};

pub(super) fn lint(inventory: &Inventory, root: Spot<'_>, flaws: &mut Flaws) {
    let (mut names, mut passwords) = (BTreeSet::new(), BTreeSet::new());
    for (database, spot) in inventory.databases.iter().zip(root.key("databases").items()) {
        words(database, spot, flaws);
        workloads(database, spot, flaws);
        let Database { name, namespace, secret, key, .. } = database;
        if !names.insert(name) {
            flaws.error(spot.key("name"), format!("database `{name}` is named twice"), "give each its own name");
        }
        if !passwords.insert((namespace, secret, key)) {
            let message = format!("`{key}` of Secret `{secret}` is the password of two logins");
            flaws.error(spot.key("key"), message, "give each its own key: a rotation changes one of them");
        }
        written(inventory, database, spot, flaws);
    }
}

fn words(database: &Database, spot: Spot<'_>, flaws: &mut Flaws) {
    let mut judge = |key: &str, what: &str, judged: Result<(), String>, example: &str| {
        if let Err(why) = judged {
            flaws.error(spot.key(key), format!("{what} {why}"), format!("write one such as \"{example}\""));
        }
    };
    judge("name", &format!("database `{}`", database.name), grammar::label(&database.name), "orders");
    judge("namespace", &format!("namespace `{}`", database.namespace), grammar::label(&database.namespace), "shop");
    judge("secret", &format!("Secret name `{}`", database.secret), grammar::subdomain(&database.secret), "db-password");
    judge("key", &format!("key `{}`", database.key), plain(&database.key), "password");
    judge("user", &format!("user `{}`", database.user), plain(&database.user), "shop");
    if let Some(name) = &database.database {
        judge("database", &format!("`{name}`"), plain(name), "orders");
    }
    if let Some(name) = &database.container {
        judge("container", &format!("container `{name}`"), grammar::label(name), "postgres");
    }
}

/// What stands in a command line and in a Secret's keys as it is.
fn plain(text: &str) -> Result<(), String> {
    if text.is_empty() || text.starts_with('-') {
        return Err("is empty, or begins with `-`".into());
    }
    match text.chars().find(|c| !(c.is_ascii_alphanumeric() || "-_.".contains(*c))) {
        Some(odd) => Err(format!("holds `{odd}`; letters, digits, `-`, `_` and `.` may stand here")),
        None => Ok(()),
    }
}

fn workloads(database: &Database, spot: Spot<'_>, flaws: &mut Flaws) {
    let consumers = database.consumers.iter().zip(spot.key("consumers").items());
    for (text, spot) in [(&database.workload, spot.key("workload"))].into_iter().chain(consumers) {
        let named = workload(&database.namespace, text).is_some_and(|object| grammar::subdomain(&object.name).is_ok());
        if !named {
            flaws.error(spot, format!("`{text}` is no workload"), "write \"statefulset/db\", \"deployment/web\" or \"daemonset/agent\"");
        }
    }
}

/// A table that writes the Secret would put the old password back, or would take the key out; what it once made up, it leaves as it is.
fn written(inventory: &Inventory, database: &Database, spot: Spot<'_>, flaws: &mut Flaws) {
    let rotation = database.rotation();
    let secrets = inventory.secrets.iter().map(|source| (&source.namespace, &source.name));
    let keys = inventory.jwt_keys.iter().map(|keys| (&keys.namespace, &keys.secret));
    for (namespace, name) in secrets.chain(keys).filter(|(namespace, _)| **namespace == database.namespace) {
        let made_up = inventory.secrets.iter().any(|source| {
            source.namespace == database.namespace && source.name == database.secret && source.generate.contains_key(&database.key)
        });
        if *name == database.secret && !made_up {
            let message =
                format!("Secret `{name}` in namespace `{namespace}` is written by another table, which would put the old password back");
            flaws.error(
                spot.key("secret"),
                message,
                "have that make the password up: `generate = { KEY = \"password:32\" }`, or keep it in a Secret that no table writes",
            );
        }
        if *name == rotation.name {
            let message = format!("Secret `{name}` is where the rotation of `{}` is kept, and another table writes it", database.name);
            flaws.error(spot.key("name"), message, "give one of them another name");
        }
    }
}
