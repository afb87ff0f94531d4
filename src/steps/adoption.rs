//! Taking over a k3s that the official installer made (contract §1.4, §1.5): what would be lost, what stays, and what forbids it. Its data
//! stays where it is, with the token in it; what its unit and `config.yaml` say gives way to the inventory.

mod lasting;
mod service;
mod settings;

use std::collections::BTreeSet;

use super::k3s::{CONFIG, REGISTRIES, config_keys, unit, unit_file};
use crate::inventory::{Consent, Host, Inventory, Role};
use crate::model::{Finding, HostQuestion, Missing, Note, Question, Secret, Tool, View};
use crate::template::MARK;
pub use lasting::version;
use settings::{Setting, Settings};

/// Only servers are taken over: an agent holds no data, and joins anew once its k3s is removed.
const UNIT: &str = unit(Role::Server);
const UNIT_FILE: &str = unit_file(Role::Server);

/// Where the installer keeps `K3S_*` and the proxies. Our unit reads it too.
const ENV_FILE: &str = "/etc/systemd/system/k3s.service.env";

/// What k3s and systemd read beside the files that we write.
const DROP_INS: [&str; 2] = ["/etc/rancher/k3s/config.yaml.d", "/etc/systemd/system/k3s.service.d"];

/// A k3s that somebody else installed, against what the inventory says.
pub struct Adoption {
    version: String,
    changes: Vec<Change>,
    /// What forbids it, whoever asks.
    forbidden: Vec<Finding>,
}

/// What the take-over does to one of its settings.
enum Change {
    /// It becomes another, or goes.
    Gives(String),
    /// It stays.
    Stays(String),
}

/// Whether our unit or our config.yaml is there: k3s is ours then, and a take-over that was cut off is drift.
///
/// # Errors
/// The host's files can't be seen.
pub fn ours(seen: &View<'_>, role: Role) -> Result<bool, Missing> {
    let contents = [seen.content(unit_file(role))?, seen.content(CONFIG)?];
    Ok(contents.into_iter().flatten().any(|content| content.expose().starts_with(MARK.as_bytes())))
}

/// Whether a `config.yaml` has this flag.
pub fn sets(content: &Secret, key: &str) -> bool {
    settings::of_file(&text(content)).is_some_and(|all| all.get(key).is_some_and(|setting| setting.shown() == "true"))
}

/// The unit that somebody else wrote.
fn foreign<'a>(host: &Host, seen: &View<'a>) -> Result<Option<&'a Secret>, Missing> {
    Ok(if host.role != Role::Server || ours(seen, host.role)? { None } else { seen.content(UNIT_FILE)? })
}

/// What must be known of it, beside `UNIT_FILE` and `CONFIG`; nothing where there is none.
pub fn questions(host: &Host, seen: &View<'_>) -> Vec<Question> {
    if !matches!(foreign(host, seen), Ok(Some(_))) {
        return Vec::new();
    }
    let mut questions = vec![HostQuestion::Content(ENV_FILE.into()), HostQuestion::Unit(UNIT.into())];
    questions.extend([REGISTRIES].into_iter().chain(DROP_INS).map(|path| HostQuestion::Stat(path.into())));
    if runs(seen) {
        // Asking a program for its version executes it: systemd did so before us.
        questions.push(HostQuestion::Version(Tool::K3s));
    }
    questions.into_iter().map(|question| seen.ask(question)).collect()
}

fn runs(seen: &View<'_>) -> bool {
    matches!(seen.unit(UNIT), Ok(Some(unit)) if unit.active == "active")
}

/// What forbids that a k3s of ours becomes what the inventory says by now: its config.yaml tells what it was made for.
///
/// # Errors
/// The host's files can't be seen.
pub fn forbidden(inventory: &Inventory, host: &Host, seen: &View<'_>) -> Result<Vec<Finding>, Missing> {
    if !ours(seen, host.role)? {
        return Ok(Vec::new());
    }
    let there = seen.content(CONFIG)?.and_then(|content| settings::of_file(&text(content))).unwrap_or_default();
    let wanted = settings::of_keys(config_keys(inventory, host));
    // A line that somebody took out tells nothing.
    let name = there.get("node-name").and_then(|name| lasting::name(&name.shown(), &wanted));
    let mut forbidden: Vec<Finding> = name.into_iter().collect();
    if host.role == Role::Server && !there.is_empty() {
        forbidden.extend(lasting::of_inventory(&there, &wanted));
    }
    Ok(forbidden)
}

/// What taking over would mean; none: there is nothing to take over.
///
/// # Errors
/// The host's files can't be seen.
pub fn look(inventory: &Inventory, host: &Host, seen: &View<'_>) -> Result<Option<Adoption>, Missing> {
    let Some(unit) = foreign(host, seen)? else { return Ok(None) };
    let command = service::command(&text(unit));
    let environment = seen.content(ENV_FILE)?.map(|content| service::environment(&text(content))).unwrap_or_default();
    let (file, is_map) = match seen.content(CONFIG)?.map(|content| settings::of_file(&text(content))) {
        None => (Settings::new(), true),
        Some(read) => (read.clone().unwrap_or_default(), read.is_some()),
    };
    let there = settings::merged(file, settings::of_flags(&command));
    let wanted = settings::of_keys(config_keys(inventory, host));
    let version = if runs(seen) { seen.version(Tool::K3s)?.cloned().unwrap_or_default() } else { String::new() };

    let mut forbidden: Vec<Finding> = lasting::version(&version, &inventory.versions.k3s).into_iter().collect();
    let name = there.get("node-name").map(Setting::shown).or_else(|| environment.get("K3S_NODE_NAME").cloned());
    forbidden.extend(lasting::name(&name.unwrap_or_else(|| seen.facts().map(|facts| facts.hostname.clone()).unwrap_or_default()), &wanted));
    forbidden.extend(lasting::settings(&there, &wanted));

    let mut changes = Vec::new();
    if !version.is_empty() && version != inventory.versions.k3s {
        changes.push(Change::Gives(format!("{version} -> {}", inventory.versions.k3s)));
    }
    if !is_map {
        changes.push(Change::Gives(format!("lost: {CONFIG}, which can't be read")));
    }
    changes.extend(differences(&there, &wanted).into_iter().map(Change::Gives));
    if !environment.is_empty() {
        let names: Vec<&str> = environment.keys().map(String::as_str).collect();
        changes.push(Change::Stays(format!("{ENV_FILE}, which sets {}", names.join(", "))));
    }
    for path in [REGISTRIES].into_iter().chain(DROP_INS) {
        match seen.stat(path)? {
            None => {}
            Some(_) if path == REGISTRIES && inventory.registries.is_some() => {
                changes.push(Change::Gives(format!("replaced: {path}, by [registries]")));
            }
            Some(_) => changes.push(Change::Stays(path.into())),
        }
    }
    Ok(Some(Adoption { version, changes, forbidden }))
}

/// Settings that become others, but for those that k3s can't change at all.
fn differences(there: &Settings, wanted: &Settings) -> Vec<String> {
    let keys: BTreeSet<&String> = there.keys().chain(wanted.keys()).filter(|key| !lasting::is(key)).collect();
    let told = |key: &String| match (there.get(key), wanted.get(key)) {
        (Some(there), Some(wanted)) if there.items == wanted.items => None,
        (Some(there), None) if key == "token" || key == "agent-token" => {
            Some(format!("lost: {}: k3s has kept it in its data", there.told(key)))
        }
        (Some(there), None) => Some(format!("lost: {}", there.told(key))),
        (Some(there), Some(wanted)) => Some(format!("changed: {} -> {}", there.told(key), wanted.value(key))),
        (None, Some(wanted)) => Some(format!("new: {key} = {}", wanted.value(key))),
        (None, None) => None,
    };
    keys.into_iter().filter_map(told).collect()
}

fn text(content: &Secret) -> String {
    String::from_utf8_lossy(content.expose()).into_owned()
}

impl Adoption {
    /// Why it is not taken over; nothing: the user asked for it and nothing forbids it.
    pub fn refusals(self, inventory: &Inventory) -> Vec<Finding> {
        let mut findings = Vec::new();
        if !inventory.consents.contains(&Consent::Adopt) {
            let version = if self.version.is_empty() { String::new() } else { format!(" {}", self.version) };
            let mut what = format!("a k3s{version} is there that bedplate did not make ({UNIT_FILE})");
            for change in &self.changes {
                what += &match change {
                    Change::Gives(line) => format!("\n  {line}"),
                    Change::Stays(line) => format!("\n  kept: {line}"),
                };
            }
            findings.push(Finding::new(what, "put what must stay into the inventory, then run `bedplate bootstrap --adopt`"));
        }
        findings.extend(self.forbidden);
        findings
    }

    /// What the user should read while it is taken over.
    pub fn notes(&self) -> Vec<Note> {
        let note = |change: &Change| match change {
            Change::Gives(line) => Note::Warning(Finding::new(format!("taking over: {line}"), "")),
            Change::Stays(line) => Note::Fact(format!("taking over: kept: {line}")),
        };
        self.changes.iter().map(note).collect()
    }
}
