//! A k3s that is there already: ours, or somebody else's.

use super::findings::Findings;
use crate::inventory::Role;
use crate::model::{HostQuestion, Missing, Question, View};
use crate::steps::k3s::{CONFIG, unit_file};
use crate::template::MARK;

/// A server's datastore and keys.
const DATA: &str = "/var/lib/rancher/k3s/server";

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
pub fn questions(seen: &View<'_>, role: Role) -> Vec<Question> {
    let content = [unit_file(role), CONFIG].map(|path| seen.ask(HostQuestion::Content(path.into())));
    let stat = [unit_file(other(role)), DATA].map(|path| seen.ask(HostQuestion::Stat(path.into())));
    content.into_iter().chain(stat).collect()
}

/// What is there already.
///
/// # Errors
/// The host's files can't be seen.
pub fn look(seen: &View<'_>, role: Role) -> Result<Former, Missing> {
    let unit = seen.content(unit_file(role))?;
    let config = seen.content(CONFIG)?;
    let ours = [unit, config].into_iter().flatten().any(|content| content.expose().starts_with(MARK.as_bytes()));
    Ok(match (ours, unit) {
        _ if seen.stat(unit_file(other(role)))?.is_some() => Former::Other,
        (true, _) => Former::Ours,
        (false, Some(_)) => Former::Foreign,
        (false, None) if seen.stat(DATA)?.is_some() => Former::Remains,
        (false, None) => Former::None,
    })
}

/// Never taken over, never deleted.
pub fn foreign(former: Former, role: Role, findings: &mut Findings) {
    let remove = "taking over is not supported yet: back it up and remove it, e.g. with k3s-uninstall.sh, which deletes its data";
    match former {
        Former::None | Former::Ours => {}
        Former::Foreign => findings.fail(format!("a k3s is there that bedplate did not make ({})", unit_file(role)), remove),
        Former::Other => {
            let what = match role {
                Role::Server => "an agent of another cluster",
                Role::Agent => "a server of another cluster",
            };
            findings.fail(format!("the host is {what} ({})", unit_file(other(role))), remove);
        }
        Former::Remains => findings.fail(format!("a former k3s left its data in {DATA}"), remove),
    }
}
