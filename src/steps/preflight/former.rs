//! A k3s that is there already: ours, or somebody else's.

use super::findings::Findings;
use crate::model::{HostQuestion, Missing, Question, View};
use crate::steps::k3s::{CONFIG, UNIT_FILE};
use crate::template::MARK;

/// An agent's unit, as the official installer names it.
const AGENT_UNIT: &str = "/etc/systemd/system/k3s-agent.service";

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
    /// An agent.
    Agent,
    /// Data of a server without a unit.
    Remains,
}

/// What must be known.
pub fn questions(seen: &View<'_>) -> Vec<Question> {
    let content = [UNIT_FILE, CONFIG].map(|path| seen.ask(HostQuestion::Content(path.into())));
    let stat = [AGENT_UNIT, DATA].map(|path| seen.ask(HostQuestion::Stat(path.into())));
    content.into_iter().chain(stat).collect()
}

/// What is there already.
///
/// # Errors
/// The host's files can't be seen.
pub fn look(seen: &View<'_>) -> Result<Former, Missing> {
    let unit = seen.content(UNIT_FILE)?;
    let config = seen.content(CONFIG)?;
    let ours = [unit, config].into_iter().flatten().any(|content| content.expose().starts_with(MARK.as_bytes()));
    Ok(match (ours, unit) {
        (true, _) => Former::Ours,
        (false, Some(_)) => Former::Foreign,
        (false, None) if seen.stat(AGENT_UNIT)?.is_some() => Former::Agent,
        (false, None) if seen.stat(DATA)?.is_some() => Former::Remains,
        (false, None) => Former::None,
    })
}

/// Never taken over, never deleted.
pub fn foreign(former: Former, findings: &mut Findings) {
    let remove = "taking over is not supported yet: back it up and remove it, e.g. with k3s-uninstall.sh, which deletes its data";
    match former {
        Former::None | Former::Ours => {}
        Former::Foreign => findings.fail(format!("a k3s is there that bedplate did not make ({UNIT_FILE})"), remove),
        Former::Agent => findings.fail(format!("the host is an agent of another cluster ({AGENT_UNIT})"), remove),
        Former::Remains => findings.fail(format!("a former k3s left its data in {DATA}"), remove),
    }
}
