//! A k3s that is there already: ours, or somebody else's.

use super::findings::Findings;
use crate::inventory::{Host, Inventory, Role};
use crate::model::{HostQuestion, K3S_DATA, Missing, Question, View};
use crate::steps::adoption;
use crate::steps::k3s::{CONFIG, unit_file};

/// What is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Former {
    /// Nothing.
    None,
    /// Our unit or our config.yaml: whatever lacks is repaired.
    Ours,
    /// A unit that we did not write.
    Foreign,
    /// A k3s of the other role.
    Other,
    /// Data of a server without a unit.
    Remains,
}

const fn other(role: Role) -> Role {
    match role {
        Role::Server => Role::Agent,
        Role::Agent => Role::Server,
    }
}

/// What must be known.
pub fn questions(seen: &View<'_>, host: &Host) -> Vec<Question> {
    let role = host.role;
    let content = [unit_file(role), CONFIG].map(|path| seen.ask(HostQuestion::Content(path.into())));
    let stat = [unit_file(other(role)), K3S_DATA].map(|path| seen.ask(HostQuestion::Stat(path.into())));
    content.into_iter().chain(stat).chain(adoption::questions(host, seen)).collect()
}

/// What is there already.
///
/// # Errors
/// The host's files can't be seen.
pub fn look(seen: &View<'_>, role: Role) -> Result<Former, Missing> {
    Ok(match (adoption::ours(seen, role)?, seen.content(unit_file(role))?) {
        _ if seen.stat(unit_file(other(role)))?.is_some() => Former::Other,
        (true, _) => Former::Ours,
        (false, Some(_)) => Former::Foreign,
        (false, None) if seen.stat(K3S_DATA)?.is_some() => Former::Remains,
        (false, None) => Former::None,
    })
}

/// A server of somebody else's is taken over by consent; an agent, a k3s of the other role and mere data never are. Nothing is deleted.
///
/// # Errors
/// The host's files can't be seen.
pub fn foreign(former: Former, inventory: &Inventory, host: &Host, seen: &View<'_>, findings: &mut Findings) -> Result<(), Missing> {
    let role = host.role;
    let remove = "back it up and remove it, e.g. with k3s-uninstall.sh, which deletes its data";
    match former {
        Former::None | Former::Ours => {}
        Former::Foreign => match adoption::look(inventory, host, seen)? {
            Some(adoption) => adoption.refusals(inventory).into_iter().for_each(|finding| findings.fail(finding.what, finding.cure)),
            None => findings.fail(format!("a k3s is there that bedplate did not make ({})", unit_file(role)), remove),
        },
        Former::Other => {
            let what = match role {
                Role::Server => "an agent of another cluster",
                Role::Agent => "a server of another cluster",
            };
            findings.fail(format!("the host is {what} ({})", unit_file(other(role))), remove);
        }
        Former::Remains => findings.fail(format!("a former k3s left its data in {K3S_DATA}"), remove),
    }
    Ok(())
}
