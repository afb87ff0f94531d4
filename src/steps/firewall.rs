//! `firewall`: which doors of a host are open, by a table of our own in nftables. Other tables are never touched, and where ufw or firewalld
//! rules nothing is done. Rules are kept only after a new SSH connection has come in under them (see `HostAction::Enforce`).

mod rules;

use super::changes::{Changes, file_questions};
use crate::inventory::{Firewall, Host, Inventory};
use crate::model::{
    Content, FileKind, FileWrite, Finding, Gatekeeper, HostAction, HostFacts, HostId, HostQuestion, Missing, Note, Owner, Plan, Planned,
    Question, Rules, Scope, Step, StepId, UnitChange, View,
};
use crate::template::render;

/// The rules that have been proven; read by the unit when the host boots.
const KEPT: &str = "/etc/bedplate/firewall.nft";
const UNIT: &str = "bedplate-firewall";
const UNIT_FILE: &str = "/etc/systemd/system/bedplate-firewall.service";
/// What `systemctl enable` makes. Nothing is started: the rules are enforced already.
const ENABLED: &str = "/etc/systemd/system/sysinit.target.wants/bedplate-firewall.service";

struct Doors {
    host: HostId,
    /// None: the inventory says nothing of them.
    wanted: Option<Wanted>,
}

struct Wanted {
    firewall: Firewall,
    /// The rules, and the unit.
    files: Result<[FileWrite; 2], Finding>,
}

/// One a host.
pub fn steps(inventory: &Inventory) -> Vec<Box<dyn Step>> {
    let step = |host: &Host| {
        let wanted = inventory.firewall.clone().map(|firewall| Wanted { files: files(inventory, host, &firewall), firewall });
        Box::new(Doors { host: HostId(host.name.clone()), wanted }) as Box<dyn Step>
    };
    inventory.hosts.iter().map(step).collect()
}

fn files(inventory: &Inventory, host: &Host, firewall: &Firewall) -> Result<[FileWrite; 2], Finding> {
    let file = |path: &str, text| FileWrite { path: path.into(), content: Content::Plain(text), mode: 0o644, owner: Owner::Root };
    let unit = render("firewall.service", &serde_json::json!({ "rules": KEPT }))?;
    Ok([file(KEPT, rules::text(inventory, host, firewall)?), file(UNIT_FILE, unit)])
}

impl Step for Doors {
    fn id(&self) -> StepId {
        StepId::of("firewall")
    }

    fn scope(&self) -> Scope {
        Scope::Host(self.host.clone())
    }

    fn questions(&self, seen: &View<'_>) -> Vec<Question> {
        if self.wanted.is_none() {
            return vec![seen.ask(HostQuestion::Stat(KEPT.into()))];
        }
        let other =
            [HostQuestion::Facts, HostQuestion::Rules(KEPT.into()), HostQuestion::Unit(UNIT.into()), HostQuestion::Stat(ENABLED.into())];
        [KEPT, UNIT_FILE].iter().flat_map(|path| file_questions(seen, path)).chain(other.map(|question| seen.ask(question))).collect()
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        let Some(wanted) = &self.wanted else { return left(seen) };
        let [rules, unit] = match &wanted.files {
            Ok(files) => files,
            Err(bug) => return Ok(Plan::Unmet(vec![bug.clone()]).into()),
        };
        if let Some(other) = rival(seen.facts()?, &wanted.firewall) {
            return Ok(Plan::Unmet(vec![other]).into());
        }
        let Some(live) = seen.rules(KEPT)? else {
            let finding =
                Finding::new("[firewall] needs nftables, and there is no `nft` on the host", "install it, e.g. `apt-get install nftables`");
            return Ok(Plan::Unmet(vec![finding]).into());
        };
        let mut changes = Changes::default();
        let differs = super::file::difference(seen, rules)?;
        let amiss = || match live {
            Rules::AsKept => None,
            Rules::None => Some("nftables has no table inet bedplate".to_owned()),
            Rules::Other => Some(format!("nftables' table inet bedplate is not as in {KEPT}")),
        };
        if let Some(reason) = differs.or_else(amiss) {
            changes.on_host(seen, reason, HostAction::Enforce(Gatekeeper::Nftables, rules.clone()));
        }
        self.at_boot(&mut changes, unit, seen)?;
        Ok(changes.into())
    }
}

impl Doors {
    /// The unit that enforces the rules before there is a network.
    fn at_boot(&self, changes: &mut Changes, unit: &FileWrite, seen: &View<'_>) -> Result<(), Missing> {
        let writes = super::file::difference(seen, unit)?;
        if writes.is_some() || seen.unit(UNIT)?.is_some_and(|unit| unit.needs_reload) {
            changes.file(seen, unit.clone())?;
            changes.unit(seen, "systemd has not read the unit as it must be", UNIT, UnitChange::Reload);
        }
        if !seen.stat(ENABLED)?.is_some_and(|meta| meta.kind == FileKind::Link(UNIT_FILE.into())) {
            let link = HostAction::Link { path: ENABLED.into(), target: UNIT_FILE.into() };
            changes.on_host(seen, "the rules would be gone after a reboot", link);
        }
        Ok(())
    }
}

/// Somebody else who rules the host's doors.
fn rival(facts: &HostFacts, firewall: &Firewall) -> Option<Finding> {
    let (name, off, allow) = match (facts.ufw, facts.firewalld) {
        (true, _) => ("ufw", "`ufw disable`", "ufw allow "),
        (_, true) => ("firewalld", "`systemctl disable --now firewalld`", "firewall-cmd --permanent --add-port="),
        _ => return None,
    };
    let rules: Vec<_> = firewall.open.iter().map(|door| format!("`{allow}{door}`")).collect();
    let what = format!("{name} is active, and bedplate does not fight it: nothing of [firewall] is enforced");
    Some(Finding::new(what, format!("leave out [firewall] and give {name} these: {}; or switch it off by {off}", rules.join(", "))))
}

/// Rules that the inventory wants no more: doors that open by themselves would be a surprise.
fn left(seen: &View<'_>) -> Result<Planned, Missing> {
    let undo = format!("`systemctl disable {UNIT}; rm {KEPT} {UNIT_FILE}; nft delete table inet bedplate`");
    let note = seen.stat(KEPT)?.map(|_| Note::Manual(format!("[firewall] left the inventory; its rules stay until you run {undo}")));
    Ok(Planned::from(Plan::Converged).with_notes(note.into_iter().collect()))
}
