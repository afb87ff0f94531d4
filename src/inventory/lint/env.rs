//! `.env` files against `[[secrets]]`. Keys are told, values never.

use std::collections::BTreeSet;

use zeroize::Zeroizing;

use crate::inventory::env_file::{self, Values};
use crate::inventory::problem::Flaws;
use crate::inventory::tree::Spot;
use crate::inventory::{Inventory, Lack, SecretSource, fault, suggest};
use crate::model::EnvSource;

pub(super) fn lint(inventory: &Inventory, root: Spot<'_>, flaws: &mut Flaws) {
    for (source, spot) in super::placed(&inventory.secrets, root.key("secrets"), root) {
        if let Some(values) = read(source, spot.key("env_file"), flaws) {
            allowed(source, &values, &inventory.placeholders, spot, flaws);
            dropped(inventory, source, &values, spot, flaws);
        }
    }
}

/// The places of one file or of several.
fn each(spot: Spot<'_>) -> Vec<Spot<'_>> {
    if spot.text().is_empty() { spot.items().collect() } else { vec![spot] }
}

fn names(spot: Spot<'_>) -> String {
    each(spot.key("env_file")).into_iter().map(Spot::text).collect::<Vec<_>>().join(", ")
}

/// All files as one; `None` if there are none, or one of them can't be read. A program is not run before it must be: then the step judges.
fn read(source: &SecretSource, spot: Spot<'_>, flaws: &mut Flaws) -> Option<Values> {
    let mut values = None;
    if let Some(named) =
        source.env_file.iter().position(|source| matches!(source, EnvSource::Program(program) if program.command.is_empty()))
    {
        let spot = each(spot).get(named).copied().unwrap_or(spot);
        flaws.error(spot, "`command` names no program", "write a program and its arguments: [\"sops\", \"decrypt\", \"FILE\"]");
    }
    for (env, spot) in source.env_file.iter().zip(each(spot)) {
        let EnvSource::File(path) = env else { return None };
        let name = spot.text();
        let text = match std::fs::read_to_string(path) {
            Ok(text) => Zeroizing::new(text),
            Err(error) => {
                flaws.error(spot, format!("could not read {name}: {error}"), "correct the path; it is relative to the inventory");
                return None;
            }
        };
        match env_file::read(&text, values.unwrap_or_default()) {
            Ok(read) => values = Some(read),
            Err(refused) => {
                for refused in refused {
                    flaws.error(spot, format!("{name}, {refused}"), format!("correct line {} of {name}", refused.line));
                }
                return None;
            }
        }
    }
    values
}

fn allowed(source: &SecretSource, values: &Values, placeholders: &[String], spot: Spot<'_>, flaws: &mut Flaws) {
    let name = names(spot);
    for (key, spot) in source.allow.iter().zip(spot.key("allow").items()) {
        let origin = source.origin(key);
        match (values.get(origin), source.lack(key)) {
            (Some(value), _) if !value.expose().is_empty() => {
                if let Some(fault) = fault(value, source.shape.get(key).copied(), placeholders) {
                    let cure = if fault.starts_with("holds") { "put the real value into" } else { "correct it in" };
                    flaws.error(spot, format!("`{origin}` in {name} {fault}"), format!("{cure} {name}"));
                }
            }
            (_, Lack::LeftOut) => {}
            (found, Lack::Empty) => {
                let how = if found.is_some() { "is empty" } else { "is missing" };
                let message = format!("`{origin}` {how} in {name}: pods get it empty, and what needs it stays off");
                flaws.warning(spot, message, format!("put a value into {name} when it is wanted"));
            }
            (Some(_), Lack::Refused) => {
                flaws.error(
                    spot,
                    format!("`{origin}` is empty in {name}"),
                    format!("put a value into {name}, or name the key in `may_be_empty`"),
                );
            }
            (None, Lack::Refused) => {
                let taken: BTreeSet<_> = source.allow.iter().map(|key| source.origin(key)).collect();
                let near = suggest::nearest(origin, values.keys().map(String::as_str).filter(|other| !taken.contains(other)));
                let cure = match near {
                    Some(near) => format!("{name} has `{near}`: is that the one?"),
                    None => format!("add it to {name}, or take it out of `allow`"),
                };
                flaws.error(spot, format!("`{origin}` is missing in {name}"), cure);
            }
        }
    }
}

/// Names only, so that nobody wonders why a key of the `.env` does not reach the pods. What another Secret takes is not left out.
fn dropped(inventory: &Inventory, source: &SecretSource, values: &Values, spot: Spot<'_>, flaws: &mut Flaws) {
    let of_these = inventory.secrets.iter().filter(|other| other.env_file.iter().any(|path| source.env_file.contains(path)));
    let taken: BTreeSet<_> = of_these.flat_map(|other| other.allow.iter().map(|key| other.origin(key))).collect();
    let names: Vec<_> = values.keys().map(String::as_str).filter(|key| !taken.contains(key)).collect();
    if !names.is_empty() {
        let message = format!("left out of Secret `{}`, as `allow` does not name them: {}", source.name, names.join(", "));
        flaws.warning(spot.key("env_file"), message, "");
    }
}
