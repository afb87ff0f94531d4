//! `k3s`: the pinned binary, its configuration and unit, enabled and running on what they now say. Waiting until it works is `node`'s.

mod config;
mod encryption;
mod files;
mod journal;
mod process;
mod token;

pub use crate::inventory::{NETWORKS, api_port, disables, items, networks};
pub use config::keys as config_keys;
pub use encryption::{asks_data, has_data, wanted as encrypts};
pub use files::{CONFIG, REGISTRIES, node_name, unit, unit_file};
pub use journal::diagnose;
pub use process::has_read;

use super::adoption;
use super::artifact::{self, short};
use super::changes::{Changes, file_questions};
use crate::inventory::{Host, Inventory, Role};
use crate::model::{
    Action, FileKind, FileWrite, Finding, HostAction, HostId, HostQuestion, Install, Missing, Note, Pin, Plan, Planned, Question, Scope,
    Step, StepId, Tool, UnitChange, View,
};
use crate::template::MARK;
use files::BINARY;
use process::Files;
use token::Token;

/// Programs that k3s is as well, by the name that it is called by: where its link lies, and the host's own, which a link would hide
/// (contract §1.4).
const ALIASES: [(&str, &str); 3] =
    [("/usr/local/bin/kubectl", "/usr/bin/kubectl"), ("/usr/local/bin/crictl", "/usr/bin/crictl"), ("/usr/local/bin/ctr", "/usr/bin/ctr")];

struct K3s {
    host: Host,
    token: Token,
    inventory: Inventory,
    files: Result<Vec<FileWrite>, Finding>,
}

/// One a server.
pub fn steps(inventory: &Inventory) -> Vec<Box<dyn Step>> {
    inventory.hosts.iter().filter(|host| host.role == Role::Server).map(|host| step(inventory, host)).collect()
}

/// The step of one host.
pub fn step(inventory: &Inventory, host: &Host) -> Box<dyn Step> {
    let files = files::files(inventory, host);
    let token = Token::of(inventory, host.role);
    Box::new(K3s { host: host.clone(), token, inventory: inventory.clone(), files })
}

/// Where k3s looks for images at start (contract §2.11).
fn images_path(pin: &Pin) -> String {
    format!("/var/lib/rancher/k3s/agent/images/k3s-airgap-images-{}.tar", pin.artifact.arch.as_deref().unwrap_or_default())
}

impl K3s {
    fn pin<'a>(&self, seen: &View<'a>) -> Result<&'a Pin, Missing> {
        artifact::pinned(seen, &artifact::k3s(&self.inventory, seen)?)
    }

    fn images<'a>(&self, seen: &View<'a>) -> Result<Option<&'a Pin>, Missing> {
        artifact::airgap(&self.inventory, seen)?.map(|artifact| artifact::pinned(seen, &artifact)).transpose()
    }

    fn files(&self, seen: &View<'_>) -> Result<Result<Vec<FileWrite>, Finding>, Missing> {
        if self.host.role != Role::Server || !encryption::too_early(&self.inventory, seen)? {
            return Ok(self.files.clone());
        }
        let mut inventory = self.inventory.clone();
        inventory.k3s.0.remove(encryption::KEY);
        Ok(files::files(&inventory, &self.host))
    }

    fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.iter().flatten().map(|file| file.path.as_str())
    }

    /// A file of ours that the inventory wants no more. Removing it takes a restart, so that is the user's.
    fn left(&self, seen: &View<'_>) -> Option<Note> {
        let content = seen.content(REGISTRIES).ok().flatten().filter(|_| self.inventory.registries.is_none())?;
        let what = format!("[registries] left the inventory; k3s reads {REGISTRIES} until you remove it and restart k3s");
        content.expose().starts_with(MARK.as_bytes()).then_some(Note::Manual(what))
    }

    /// Whether our k3s is another than the pinned one. An altered one tells its version as well; what tells none is simply replaced.
    fn replaced(&self, seen: &View<'_>) -> Result<bool, Missing> {
        let another = seen.digest(BINARY)?.is_some_and(|there| self.pin(seen).is_ok_and(|pin| pin.sha256 != *there));
        Ok(another && self.host.role == Role::Server && adoption::ours(seen, self.host.role)?)
    }

    /// What can't become as the inventory says.
    fn forbidden(&self, seen: &View<'_>) -> Result<Vec<Finding>, Missing> {
        let mut forbidden = adoption::forbidden(&self.inventory, &self.host, seen)?;
        if self.replaced(seen)? {
            let there = seen.version(Tool::K3s).ok().flatten();
            forbidden.extend(there.and_then(|there| adoption::version(there, &self.inventory.versions.k3s)));
        }
        Ok(forbidden)
    }

    /// When the newest of the files that k3s reads at start was changed.
    fn newest(&self, seen: &View<'_>) -> Result<u64, Missing> {
        let mut newest = 0;
        for path in self.paths().chain([BINARY]).chain(self.token.path()) {
            newest = newest.max(seen.stat(path)?.map_or(0, |meta| meta.changed));
        }
        Ok(newest)
    }
}

/// Brings an artifact to its path unless it lies there, byte for byte.
fn install(changes: &mut Changes, seen: &View<'_>, pin: &Pin, path: &str, mode: u32) -> Result<(), Missing> {
    let reason = match (seen.stat(path)?, seen.digest(path)?) {
        (None, _) | (_, None) => format!("{path} is absent"),
        (_, Some(digest)) if *digest != pin.sha256 => {
            format!("{path} sha256:{} -> sha256:{} of {}", short(digest), short(&pin.sha256), pin.artifact)
        }
        (Some(meta), _) if meta.kind != FileKind::File => format!("{path} is not a regular file"),
        (Some(meta), _) if meta.mode != mode || meta.uid != 0 => format!("{path} is not root's, mode {mode:04o}"),
        _ => return Ok(()),
    };
    changes.on_host(seen, reason, HostAction::Install(Install { pin: pin.clone(), member: None, path: path.into(), mode }));
    Ok(())
}

impl Step for K3s {
    fn id(&self) -> StepId {
        StepId::of("k3s")
    }

    fn scope(&self) -> Scope {
        Scope::Host(HostId(self.host.name.clone()))
    }

    fn questions(&self, seen: &View<'_>) -> Vec<Question> {
        let mut questions = vec![seen.ask(HostQuestion::Facts), seen.ask(HostQuestion::Unit(unit(self.host.role).into()))];
        questions.push(seen.ask(HostQuestion::Stat(BINARY.into())));
        for (link, own) in ALIASES {
            questions.push(seen.ask(HostQuestion::Stat(link.into())));
            if matches!(seen.stat(link), Ok(None)) {
                questions.push(seen.ask(HostQuestion::Stat(own.into())));
            }
        }
        questions.push(seen.ask(HostQuestion::Digest(BINARY.into())));
        questions.extend(self.paths().flat_map(|path| file_questions(seen, path)));
        questions.extend(self.token.questions(seen));
        questions.extend(adoption::questions(&self.host, seen));
        questions.extend(encryption::questions(self.host.role, seen));
        if self.replaced(seen).unwrap_or(false) {
            questions.push(seen.ask(HostQuestion::Version(Tool::K3s)));
        }
        if self.inventory.registries.is_none() {
            questions.push(seen.ask(HostQuestion::Content(REGISTRIES.into())));
        }
        questions.extend(artifact::k3s(&self.inventory, seen).iter().map(artifact::pin_question));
        if let Ok(Some(artifact)) = artifact::airgap(&self.inventory, seen) {
            questions.push(artifact::pin_question(&artifact));
        }
        if let Ok(Some(pin)) = self.images(seen) {
            let path = images_path(pin);
            questions.extend([seen.ask(HostQuestion::Stat(path.clone())), seen.ask(HostQuestion::Digest(path))]);
        }
        questions
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        let files = match self.files(seen)? {
            Ok(files) => files,
            Err(bug) => return Ok(Plan::Unmet(vec![bug]).into()),
        };
        let mut notes: Vec<Note> = self.left(seen).into_iter().collect();
        if let Some(adoption) = adoption::look(&self.inventory, &self.host, seen)? {
            notes.extend(adoption.notes());
            let refusals = adoption.refusals(&self.inventory);
            if !refusals.is_empty() {
                return Ok(Plan::Unmet(refusals).into());
            }
        }
        if self.host.role == Role::Server
            && let Some(finding) = encryption::kept(&self.inventory, seen)?
        {
            return Ok(Plan::Unmet(vec![finding]).into());
        }
        let forbidden = self.forbidden(seen)?;
        if !forbidden.is_empty() {
            return Ok(Plan::Unmet(forbidden).into());
        }
        let mut changes = Changes::default();
        install(&mut changes, seen, self.pin(seen)?, BINARY, 0o755)?;
        self.token.settle(&mut changes, seen)?;
        for file in files {
            changes.file(seen, file)?;
        }
        let read_at_start = if changes.is_empty() { Files::Since(self.newest(seen)?) } else { Files::Rewritten };
        if let Some(pin) = self.images(seen)? {
            install(&mut changes, seen, pin, &images_path(pin), 0o644)?;
        }
        for (link, own) in ALIASES {
            if seen.stat(link)?.is_none() && seen.stat(own)?.is_none() {
                changes.on_host(seen, format!("{link} is absent"), HostAction::Link { path: link.into(), target: "k3s".into() });
            }
        }
        settle(&mut changes, seen, self.host.role, read_at_start)?;
        Ok(Planned::from(changes).with_notes(notes))
    }
}

/// Reloads, enables and starts the unit, as far as that lacks.
fn settle(changes: &mut Changes, seen: &View<'_>, role: Role, files: Files) -> Result<(), Missing> {
    let name = unit(role);
    let unit = seen.unit(name)?;
    let is_unit = |action: &Action| matches!(action, Action::Host(_, HostAction::WriteFile(file)) if file.path == unit_file(role));
    let writes_unit = changes.actions().any(is_unit);
    if writes_unit || unit.is_some_and(|unit| unit.needs_reload) {
        changes.unit(seen, "systemd has not read the unit as it must be", name, UnitChange::Reload);
    }
    if unit.is_none_or(|unit| unit.enabled != "enabled") {
        changes.unit(seen, "k3s does not start with the host", name, UnitChange::Enable);
    }
    let change = unit.map_or(Some(UnitChange::Start), |unit| process::change(unit, files));
    if let Some(change) = change {
        let reason = match (change, files) {
            (UnitChange::Restart, Files::Rewritten) => "k3s must read what is written",
            (UnitChange::Restart, Files::Since(_)) => "k3s has run since before its files were last changed",
            _ => "k3s does not run",
        };
        changes.unit(seen, reason, name, change);
    }
    Ok(())
}
