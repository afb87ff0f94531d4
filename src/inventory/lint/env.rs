//! `.env` files against `[[secrets]]`. Keys are told, values never.

use std::collections::BTreeMap;
use std::path::Path;

use zeroize::Zeroizing;

use crate::inventory::form::fault;
use crate::inventory::problem::Flaws;
use crate::inventory::tree::Spot;
use crate::inventory::{Inventory, SecretSource, env_file, suggest};
use crate::model::Secret;

pub(super) fn lint(inventory: &Inventory, root: Spot<'_>, flaws: &mut Flaws) {
    for (source, spot) in inventory.secrets.iter().zip(root.key("secrets").items()) {
        let Some(path) = &source.env_file else { continue };
        if let Some(values) = read(path, spot.key("env_file"), flaws) {
            allowed(source, &values, &inventory.placeholders, spot, flaws);
            dropped(source, &values, spot, flaws);
        }
    }
}

fn read(path: &Path, spot: Spot<'_>, flaws: &mut Flaws) -> Option<BTreeMap<String, Secret>> {
    let name = spot.text();
    let text = match std::fs::read_to_string(path) {
        Ok(text) => Zeroizing::new(text),
        Err(error) => {
            flaws.error(spot, format!("could not read {name}: {error}"), "correct the path; it is relative to the inventory");
            return None;
        }
    };
    match env_file::read(&text, env_file::Values::new()) {
        Ok(values) => Some(values),
        Err(refused) => {
            for refused in refused {
                flaws.error(spot, format!("{name}, {refused}"), format!("correct line {} of {name}", refused.line));
            }
            None
        }
    }
}

fn allowed(source: &SecretSource, values: &BTreeMap<String, Secret>, placeholders: &[String], spot: Spot<'_>, flaws: &mut Flaws) {
    let name = spot.key("env_file").text();
    for (key, spot) in source.allow.iter().zip(spot.key("allow").items()) {
        let may_be_empty = source.may_be_empty.contains(key);
        match values.get(key) {
            Some(value) if !value.expose().is_empty() => {
                if let Some(fault) = fault(value, source.shape.get(key).copied(), placeholders) {
                    flaws.error(spot, format!("`{key}` in {name} {fault}"), format!("put the real value into {name}"));
                }
            }
            found if may_be_empty => {
                let how = if found.is_some() { "is empty" } else { "is missing" };
                let message = format!("`{key}` {how} in {name}: pods get it empty, and what needs it stays off");
                flaws.warning(spot, message, format!("put a value into {name} when it is wanted"));
            }
            Some(_) => {
                flaws.error(
                    spot,
                    format!("`{key}` is empty in {name}"),
                    format!("put a value into {name}, or name the key in `may_be_empty`"),
                );
            }
            None => {
                let near = suggest::nearest(key, values.keys().filter(|other| !source.allow.contains(other)).map(String::as_str));
                let cure = match near {
                    Some(near) => format!("{name} has `{near}`: is that the one?"),
                    None => format!("add it to {name}, or take it out of `allow`"),
                };
                flaws.error(spot, format!("`{key}` is missing in {name}"), cure);
            }
        }
    }
}

/// Names only, so that nobody wonders why a key of the `.env` does not reach the pods.
fn dropped(source: &SecretSource, values: &BTreeMap<String, Secret>, spot: Spot<'_>, flaws: &mut Flaws) {
    let names: Vec<_> = values.keys().filter(|key| !source.allow.contains(key)).map(String::as_str).collect();
    if !names.is_empty() {
        let message = format!("left out of Secret `{}`, as `allow` does not name them: {}", source.name, names.join(", "));
        flaws.warning(spot.key("env_file"), message, "");
    }
}
