//! A node's password, by which k3s' server knows a host again (contract §2.8). A host that was installed anew has another one, and is
//! refused until the server forgets the old.

use jiff::Timestamp;

use crate::model::{Action, ApiAction, ApiQuestion, Missing, ObjectRef, Planned, Question, View};
use crate::steps::node::is_ready;

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

/// Lets the server forget the password, if it is an old one and no other host is up under this name.
///
/// # Errors
/// The Secret or the Node can't be seen.
pub fn forget(seen: &View<'_>, node: &ObjectRef, rejected: i64) -> Result<Option<Planned>, Missing> {
    let secret = secret(node);
    let stale = seen.secret(&secret.namespace, &secret.name)?.is_some_and(|live| live.created < rejected);
    let other = seen.object(node)?.is_some_and(is_ready);
    let reason = format!("the server knows another password of {node}, which is not Ready: the host was installed anew");
    let forget = || Planned::act(vec![Action::Api(ApiAction::Delete(secret.clone()))], vec![reason.clone()]);
    Ok((stale && !other).then(forget))
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
