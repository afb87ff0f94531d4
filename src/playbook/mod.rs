//! Ready-made stacks: `[playbooks.NAME]` and `playbooks/NAME.toml` -> tables of the inventory, and the generic steps that it has no table for.

mod book;
mod fill;

use std::collections::BTreeMap;
use std::path::Path;

use crate::inventory::{Inventory, duration};
use crate::model::{Manifest, ObjectRef};

use book::{Book, Generic};

/// Playbooks that come with bedplate.
const EMBEDDED: &[(&str, &str)] = &[("hello", include_str!("../../playbooks/hello.toml"))];

/// What a playbook adds that is no table of the inventory, in its own order.
#[derive(Clone, Debug)]
pub struct Play {
    /// The playbook's name. A site may name it as its release.
    pub name: String,
    /// Namespaces that it names.
    pub namespaces: Vec<String>,
    /// Spliced in before the checks.
    pub parts: Vec<Part>,
}

impl Play {
    /// Where its Ingress for `domain` lies; without one, the first namespace that it names.
    #[must_use]
    pub fn home_of(&self, domain: &str) -> Option<&str> {
        let manifests = self.parts.iter().filter_map(|part| if let Part::Manifests(manifests) = part { Some(manifests) } else { None });
        let rules = |manifest: &Manifest| {
            manifest.body()["spec"]["rules"].as_array().is_some_and(|rules| rules.iter().any(|rule| rule["host"] == domain))
        };
        let mut ingresses = manifests.flatten().filter(|manifest| manifest.object().kind == "Ingress");
        let home = ingresses.find(|ingress| rules(ingress)).map(|ingress| &ingress.object().namespace);
        home.or(self.namespaces.first()).map(String::as_str)
    }
}

/// One spliced step.
#[derive(Clone, Debug)]
pub enum Part {
    /// Objects to be applied.
    Manifests(Vec<Manifest>),
    /// An object that must be ready.
    Wait(Wait),
}

/// What is waited for.
#[derive(Clone, Debug)]
pub struct Wait {
    /// A workload, which must be rolled out, or anything with a condition `Ready`.
    pub object: ObjectRef,
    /// How long it may take.
    pub within: std::time::Duration,
}

/// What is wrong with a use of a playbook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The parameter, if it is one.
    pub parameter: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What the user can do.
    pub cure: String,
}

impl Wrong {
    fn of(message: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { parameter: None, message: message.into(), cure: cure.into() }
    }
}

/// Adds what the playbook `name` says, filled with `parameters`, to the inventory. A file `playbooks/NAME.toml` in `folder`, the inventory's,
/// goes before the playbook that is built in. Paths are added as they stand there.
///
/// # Errors
/// Every problem of the parameters, or the playbook's own first one.
pub fn add(inventory: &mut Inventory, name: &str, parameters: &BTreeMap<String, toml::Value>, folder: &Path) -> Result<(), Vec<Wrong>> {
    let text = text(name, folder).map_err(|wrong| vec![wrong])?;
    let in_book = |message: String| vec![Wrong::of(format!("playbook `{name}`: {message}"), "mend the playbook")];
    let book = Book::read(&text).map_err(in_book)?;
    let steps = fill::fill(book, parameters)?;
    let mut play = Play { name: name.to_owned(), namespaces: Vec::new(), parts: Vec::new() };
    for step in steps {
        take(inventory, &mut play, step).map_err(in_book)?;
    }
    inventory.plays.push(play);
    Ok(())
}

fn text(name: &str, folder: &Path) -> Result<String, Wrong> {
    let path = folder.join("playbooks").join(format!("{name}.toml"));
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Wrong::of(format!("could not read {}: {error}", path.display()), "make it readable"))
        }
        Err(_) => EMBEDDED.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned()).ok_or_else(|| {
            let known: Vec<_> = EMBEDDED.iter().map(|(name, _)| *name).collect();
            Wrong::of(
                format!("there is no playbook `{name}`"),
                format!("known here: {}; or write playbooks/{name}.toml beside the inventory", known.join(", ")),
            )
        }),
    }
}

/// Files a step away: in its table, or among the play's own. Tables come in the order of the core flow, whatever their order here.
fn take(inventory: &mut Inventory, play: &mut Play, step: Generic) -> Result<(), String> {
    match step {
        Generic::Namespace(name) => play.namespaces.push(name),
        Generic::Secret(secret) => inventory.secrets.push(secret),
        Generic::Image { name, archive } => drop(inventory.images.insert(name, archive.into())),
        Generic::Release(release) => inventory.releases.push(release),
        Generic::Manifest(text) => play.parts.push(Part::Manifests(manifests(&text)?)),
        Generic::Wait { api_version, kind, namespace, name, within } => {
            let within = duration(&within).ok_or_else(|| format!("`{within}` is no duration"))?;
            play.parts.push(Part::Wait(Wait { object: ObjectRef::new(&api_version, &kind, &namespace, &name), within }));
        }
        Generic::Check(site) => inventory.sites.push(site),
    }
    Ok(())
}

fn manifests(text: &str) -> Result<Vec<Manifest>, String> {
    let documents: Vec<serde_json::Value> = serde_saphyr::from_multiple(text).map_err(|error| format!("a manifest is no YAML: {error}"))?;
    let secret = documents.iter().any(|document| document["kind"] == "Secret");
    if secret {
        return Err("a manifest holds a Secret: use the step `secret`, whose values never lie in a file".into());
    }
    let lacking = || "a manifest lacks apiVersion, kind or metadata.name".to_owned();
    documents.into_iter().filter(|document| !document.is_null()).map(|document| Manifest::new(document).ok_or_else(lacking)).collect()
}

#[cfg(test)]
mod tests;
