//! `sshd`: whom a host's sshd lets in how, by a drop-in of our own that it reads first. Other files of sshd's are never touched: what they say
//! against ours is told. Settings are kept only after a new SSH connection has come in under them (see `HostAction::Enforce`).

use super::changes::{Changes, file_questions};
use crate::inventory::{Host, Inventory, RootLogin, Sshd};
use crate::model::{
    Content, FileWrite, Finding, Gatekeeper, HostAction, HostId, HostQuestion, Missing, Note, Owner, PermitRootLogin, Plan, Planned,
    Question, SSHD_DROP_IN, STRANGER, Scope, SshdFacts, Step, StepId, View,
};
use crate::template::render;

struct Logins {
    host: HostId,
    /// None: the inventory says nothing of them.
    wanted: Option<Wanted>,
}

struct Wanted {
    sshd: Sshd,
    file: Result<FileWrite, Finding>,
}

/// One a host.
pub fn steps(inventory: &Inventory) -> Vec<Box<dyn Step>> {
    let step = |host: &Host| {
        let wanted = inventory.sshd.map(|sshd| Wanted { file: file(sshd), sshd });
        Box::new(Logins { host: HostId(host.name.clone()), wanted }) as Box<dyn Step>
    };
    inventory.hosts.iter().map(step).collect()
}

fn file(sshd: Sshd) -> Result<FileWrite, Finding> {
    let root_login = sshd.root_login.map(|root| root.to_string());
    let text = render("sshd.conf", &serde_json::json!({ "passwords": !sshd.forbids_passwords(), "root_login": root_login }))?;
    Ok(FileWrite { path: SSHD_DROP_IN.into(), content: Content::Plain(text), mode: 0o644, owner: Owner::Root })
}

impl Step for Logins {
    fn id(&self) -> StepId {
        StepId::of("sshd")
    }

    fn scope(&self) -> Scope {
        Scope::Host(self.host.clone())
    }

    fn questions(&self, seen: &View<'_>) -> Vec<Question> {
        if self.wanted.is_none() {
            return vec![seen.ask(HostQuestion::Stat(SSHD_DROP_IN.into()))];
        }
        let other = [HostQuestion::Facts, HostQuestion::Sshd].map(|question| seen.ask(question));
        file_questions(seen, SSHD_DROP_IN).into_iter().chain(other).collect()
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        let Some(wanted) = &self.wanted else { return left(seen) };
        let file = match &wanted.file {
            Ok(file) => file,
            Err(bug) => return Ok(Plan::Unmet(vec![bug.clone()]).into()),
        };
        let live = match fit(seen.sshd()?, wanted.sshd, seen.facts()?.uid) {
            Ok(live) => live,
            Err(finding) => return Ok(Plan::Unmet(vec![finding]).into()),
        };
        let unproven = || live.unproven.then(|| "a run ended before its settings were proven".to_owned());
        let Some(reason) = super::file::difference(seen, file)?.or_else(unproven) else {
            let against = against(live, wanted.sshd);
            return Ok(if against.is_empty() { Plan::Converged } else { Plan::Unmet(against) }.into());
        };
        if !live.includes {
            return Ok(Plan::Unmet(vec![not_included()]).into());
        }
        let mut changes = Changes::default();
        changes.on_host(seen, reason, HostAction::Enforce(Gatekeeper::Sshd, file.clone()));
        Ok(changes.into())
    }
}

/// A sshd that can take such settings from us.
fn fit(live: Option<&SshdFacts>, wanted: Sshd, uid: u32) -> Result<&SshdFacts, Finding> {
    let Some(live) = live else {
        return Err(Finding::new("[sshd] is for OpenSSH's server, and there is no `sshd` on the host", "leave out [sshd]"));
    };
    if live.unit.is_none() {
        let what = "neither ssh nor sshd is active as a service or a socket of systemd's, so nobody could tell sshd of new settings";
        return Err(Finding::new(what, "have systemd run sshd, or leave out [sshd]"));
    }
    // Whom ssh logs in, its own configuration may say.
    if wanted.root_login == Some(RootLogin::No) && uid == 0 {
        let cure = "have ssh log in as a user who may use sudo, or set `root_login = \"prohibit-password\"`";
        return Err(Finding::new("`root_login = \"no\"` shuts out root, as whom ssh logs in here", cure));
    }
    Ok(live)
}

fn not_included() -> Finding {
    Finding::new(
        format!("/etc/ssh/sshd_config does not include {SSHD_DROP_IN}, or not for everybody, so [sshd] would be without effect"),
        "make `Include /etc/ssh/sshd_config.d/*.conf` the first line of /etc/ssh/sshd_config, reload sshd, then run again",
    )
}

/// What sshd does though our drop-in says otherwise.
fn against(live: &SshdFacts, wanted: Sshd) -> Vec<Finding> {
    let passwords = wanted.forbids_passwords() && !live.passwords.is_empty();
    let root = wanted.root_login.is_some_and(|root| match root {
        RootLogin::No => live.root_login != PermitRootLogin::No,
        RootLogin::ProhibitPassword => live.root_login == PermitRootLogin::Yes,
    });
    if (passwords || root) && !live.includes {
        return vec![not_included()];
    }
    let whose = match live.passwords.contains(STRANGER) {
        true => "anybody's password".to_owned(),
        false => format!("the password of {}", live.passwords.iter().map(String::as_str).collect::<Vec<_>>().join(" and ")),
    };
    let finding = |what: String, words: &str| {
        let look = format!("`grep -riE '^[[:space:]]*({words}|Match)' /etc/ssh/sshd_config /etc/ssh/sshd_config.d`");
        let what = format!("{what}, though {SSHD_DROP_IN} says otherwise: something is read before it, or stands below a Match");
        Finding::new(what, format!("{look} shows what; mend that and reload sshd"))
    };
    let passwords = passwords.then(|| finding(format!("sshd takes {whose}"), "(Password|KbdInteractive|ChallengeResponse)Authentication"));
    let root = root.then(|| finding("sshd lets root in".into(), "PermitRootLogin"));
    passwords.into_iter().chain(root).collect()
}

/// Settings that the inventory wants no more: doors that open by themselves would be a surprise.
fn left(seen: &View<'_>) -> Result<Planned, Missing> {
    let undo = format!("`rm {SSHD_DROP_IN}; systemctl reload ssh` (on some hosts: sshd)");
    let note = seen.stat(SSHD_DROP_IN)?.map(|_| Note::Manual(format!("[sshd] left the inventory; its settings stay until you run {undo}")));
    Ok(Planned::from(Plan::Converged).with_notes(note.into_iter().collect()))
}
