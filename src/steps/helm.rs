//! `helm`: the pinned helm on the first server. Its file is named by its artifact's digest, so the link says which one is in use.

use super::artifact;
use super::changes::Changes;
use crate::inventory::{Consent, Host, Inventory};
use crate::model::{
    FileKind, FileMeta, Finding, HostAction, HostId, HostQuestion, Install, Missing, Note, Pin, Plan, Planned, Question, Scope, Step,
    StepId, Tool, View, Why,
};

const LINK: &str = "/usr/local/bin/helm";
/// How the paths begin of what we install.
const HOMES: &str = "/usr/local/lib/bedplate/helm-";

struct Helm {
    host: HostId,
    version: String,
    adopts: bool,
}

/// One on the first server, if the inventory names a version.
pub fn steps(inventory: &Inventory) -> Vec<Box<dyn Step>> {
    let wanted = inventory.versions.helm.clone().zip(inventory.server());
    let adopts = inventory.consents.contains(&Consent::Adopt);
    let step = |(version, server): (String, &Host)| Box::new(Helm { host: HostId(server.name.clone()), version, adopts }) as Box<dyn Step>;
    wanted.into_iter().map(step).collect()
}

/// Where the program of this artifact lies.
fn home(pin: &Pin) -> String {
    format!("{HOMES}{}", pin.sha256.get(..12).unwrap_or(&pin.sha256))
}

impl Helm {
    fn pin<'a>(&self, seen: &View<'a>) -> Result<&'a Pin, Missing> {
        artifact::pinned(seen, &artifact::for_host(seen, "helm", &self.version)?)
    }

    /// Why the program must be installed.
    fn program(&self, seen: &View<'_>, home: &str) -> Result<Option<String>, Missing> {
        match seen.stat(home)? {
            None => return Ok(Some(format!("helm {} is absent", self.version))),
            Some(meta) if meta.kind != FileKind::File || meta.mode != 0o755 || meta.uid != 0 => {
                return Ok(Some(format!("{home} is not root's, mode 0755")));
            }
            Some(_) => {}
        }
        if !linked(seen, home)? {
            return Ok(None);
        }
        match seen.version(Tool::Helm) {
            Ok(Some(version)) if *version == self.version => Ok(None),
            Ok(Some(version)) => Ok(Some(format!("{home} says that it is {version}"))),
            Ok(None) => Ok(Some(format!("{home} does not run"))),
            // A program that is there and does not run has been tampered with; a second failure ends the run as drift.
            Err(Missing { why: Why::Unreadable(reason), .. }) => Ok(Some(format!("{home} does not run: {reason}"))),
            Err(missing) => Err(missing),
        }
    }
}

/// Whether the link leads to this program.
fn linked(seen: &View<'_>, home: &str) -> Result<bool, Missing> {
    Ok(seen.stat(LINK)?.is_some_and(|meta| meta.kind == FileKind::Link(home.into())))
}

impl Step for Helm {
    fn id(&self) -> StepId {
        StepId::of("helm")
    }

    fn scope(&self) -> Scope {
        Scope::Host(self.host.clone())
    }

    fn questions(&self, seen: &View<'_>) -> Vec<Question> {
        let mut questions = vec![seen.ask(HostQuestion::Facts), seen.ask(HostQuestion::Stat(LINK.into()))];
        if let Ok(artifact) = artifact::for_host(seen, "helm", &self.version) {
            questions.push(artifact::pin_question(&artifact));
        }
        if let Ok(pin) = self.pin(seen) {
            let home = home(pin);
            // Asking a program for its version executes it: never one that we did not install.
            if linked(seen, &home).unwrap_or_default() {
                questions.push(seen.ask(HostQuestion::Version(Tool::Helm)));
            }
            questions.push(seen.ask(HostQuestion::Stat(home)));
        }
        questions
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        let pin = self.pin(seen)?;
        let home = home(pin);
        let is_ours = |meta: &FileMeta| matches!(&meta.kind, FileKind::Link(to) if to.starts_with(HOMES));
        if !self.adopts && seen.stat(LINK)?.is_some_and(|meta| !is_ours(meta)) {
            let cure = format!(
                "move it away (sudo mv {LINK} {LINK}.own), or see what else --adopt would replace (`bedplate plan --adopt`) and run with it: \
                 a link to helm {} takes its place",
                self.version
            );
            return Ok(Plan::Unmet(vec![Finding::new(format!("{LINK} is there, and bedplate did not make it"), cure)]).into());
        }
        let mut changes = Changes::default();
        if let Some(reason) = self.program(seen, &home)? {
            let arch = pin.artifact.arch.as_deref().unwrap_or_default();
            let member = Some(format!("linux-{arch}/helm"));
            let install = Install { pin: pin.clone(), member, path: home.clone(), mode: 0o755 };
            changes.on_host(seen, reason, HostAction::Install(install));
        }
        if !linked(seen, &home)? {
            let reason = match seen.stat(LINK)? {
                None => format!("{LINK} is absent"),
                Some(_) => format!("{LINK} is not the pinned helm"),
            };
            changes.on_host(seen, reason, HostAction::Link { path: LINK.into(), target: home });
        }
        let version = seen.version(Tool::Helm).ok().flatten().map(|version| Note::Fact(format!("helm {version}")));
        Ok(Planned::from(changes).with_notes(version.into_iter().collect()))
    }
}
