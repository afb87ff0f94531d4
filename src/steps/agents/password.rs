//! A node's password, by which k3s' server knows a host again (contract §2.8). A host that was installed anew has another one, and is
//! refused until the server forgets the old.

use jiff::Timestamp;

use crate::model::{Action, ApiAction, ApiQuestion, Missing, ObjectRef, Planned, Question, View};
use crate::steps::node::silent_since;

/// k3s' message, every 5 s as long as it is so.
const REJECTED: &str = "Node password rejected";

/// Where the server keeps it.
fn secret(node: &ObjectRef) -> ObjectRef {
    ObjectRef::new("v1", "Secret", "kube-system", &format!("{}.node-password.k3s", node.name))
}

/// What must be known once a password was refused.
pub fn question(node: &ObjectRef) -> Question {
    let ObjectRef { namespace, name, .. } = secret(node);
    Question::Api(ApiQuestion::Secret { namespace, name })
}

/// When the journal last tells of it, seconds since the epoch. k3s' own lines begin with `time="…"`.
pub fn rejected(journal: &str) -> Option<i64> {
    let line = journal.lines().rev().find(|line| line.contains(REJECTED))?;
    let (_, rest) = line.split_once("time=\"")?;
    rest.split('"').next()?.parse::<Timestamp>().ok().map(Timestamp::as_second)
}

/// Lets the server forget the password, if it is an old one and nobody else is up under this name. A new one is younger than the Node's
/// silence, by the clock of the API server alone; without a Node the journal's must do.
///
/// # Errors
/// The Secret or the Node can't be seen.
pub fn forget(seen: &View<'_>, node: &ObjectRef, rejected: i64) -> Result<Option<Planned>, Missing> {
    let secret = secret(node);
    let silent = match seen.object(node)? {
        None => Some(rejected),
        Some(live) => silent_since(live),
    };
    let password = seen.secret(&secret.namespace, &secret.name)?;
    if silent.zip(password).is_none_or(|(silent, password)| password.created >= silent) {
        return Ok(None);
    }
    let reason = format!("the server knows another password of {node}, of which nothing is heard: the host was installed anew");
    Ok(Some(Planned::act(vec![Action::Api(ApiAction::Delete(secret))], vec![reason])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_rejection_tells_when() {
        let line = |time: &str, what: &str| {
            format!("time=\"{time}\" level=info msg=\"Waiting to retrieve agent configuration; server is not ready: {what}\"\n")
        };
        let journal = [
            line(
                "2026-11-21T09:00:00Z",
                "Node password rejected, duplicate hostname or contents of '/etc/rancher/node/password' may not match",
            ),
            line(
                "2026-11-21T11:00:05+02:00",
                "Node password rejected, duplicate hostname or contents of '/etc/rancher/node/password' may not match",
            ),
            line("2026-11-21T09:01:00Z", "i/o timeout"),
        ];
        assert_eq!(rejected(&journal.concat()), Some(1_795_251_605));
        assert_eq!(rejected("k3s-agent.service: Scheduled restart job\n"), None);
    }
}
