//! What hosts share on the way to them: a sshd that takes only so many logins at once, and a jump host, to which one connection leads
//! however many hosts lie behind it. The user's ssh_config says that there is one; ssh itself would connect to it once per host.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tempfile::TempDir;
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};

use super::config::Resolved;
use super::error::Error;
use super::master::{Login, Master, login};
use super::quote::quote;
use super::runtime;

/// Most logins at once to one sshd, which begins to drop them at ten (sshd_config: MaxStartups).
const LOGINS: usize = 8;

/// Values that live for as long as somebody uses them, by name.
struct Shared<T>(Mutex<BTreeMap<String, Weak<T>>>);

impl<T> Shared<T> {
    const fn new() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    fn get(&self, name: &str, make: impl FnOnce() -> T) -> Arc<T> {
        // A thread that panicked left the map whole.
        let mut map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = map.get(name).and_then(Weak::upgrade) {
            return known;
        }
        let made = Arc::new(make());
        map.insert(name.to_owned(), Arc::downgrade(&made));
        made
    }
}

static GATES: Shared<Semaphore> = Shared::new();
static JUMPS: Shared<Jump> = Shared::new();

/// Waits until the sshd that `way` leads to may be troubled with another login, which is over when the permit is dropped.
pub(super) async fn gate(way: &Resolved) -> Option<OwnedSemaphorePermit> {
    let Resolved { hostname, port, jump, command, .. } = way;
    // A command may lead anywhere, most likely through one and the same host.
    let name = command.clone().unwrap_or_else(|| format!("{} {hostname} {port}", jump.as_deref().unwrap_or_default()));
    // Nobody closes a gate.
    GATES.get(&name, || Semaphore::new(LOGINS)).acquire_owned().await.ok()
}

/// A jump host, or several in a row.
#[derive(Debug, Default)]
pub(super) struct Jump {
    opened: OnceCell<Result<(Master, TempDir), Error>>,
}

impl Jump {
    /// The one that `hosts` (as `-J` takes them) names.
    pub(super) fn to(hosts: &str) -> Arc<Self> {
        JUMPS.get(hosts, Self::default)
    }

    /// What ssh must be told to go through it. Whoever comes first opens it; if that fails, it fails for all who wait.
    pub(super) async fn arguments(&self, hosts: &str) -> Result<Vec<OsString>, Error> {
        let opened = self.opened.get_or_init(|| open(hosts)).await;
        let (master, _) = opened.as_ref().map_err(|error| Error::Jump(shown(hosts), Box::new(error.clone())))?;
        Ok(vec!["-o".into(), proxy(&master.socket, last(hosts)).into()])
    }
}

/// ssh expands `%` in it and gives it to the user's shell.
fn proxy(socket: &Path, host: &str) -> String {
    let word = |text: &str| quote(text).replace('%', "%%");
    format!("ProxyCommand=ssh -S {} -W '[%h]:%p' -- {}", word(&socket.to_string_lossy()), word(&uri(host)))
}

async fn open(hosts: &str) -> Result<(Master, TempDir), Error> {
    let folder = runtime::folder()?;
    let before = hosts.rsplit_once(',').map(|(before, _)| before);
    let arguments = before.map(|before| vec!["-J".into(), before.into()]).unwrap_or_default();
    let master = login(Login { destination: &uri(last(hosts)), arguments, folder: folder.path(), jump: None }).await?;
    Ok((master, folder))
}

fn last(hosts: &str) -> &str {
    hosts.rsplit_once(',').map_or(hosts, |(_, last)| last)
}

/// As `ssh` takes it for an argument. `ssh -G` puts brackets around every address.
fn shown(hosts: &str) -> String {
    let ipv6 = hosts.matches(':').count() > 1;
    if ipv6 { hosts.to_owned() } else { hosts.replace(['[', ']'], "") }
}

/// ssh_config(5), ProxyJump: `[user@]host[:port]` or a URI. As an argument only the URI may hold a port.
fn uri(host: &str) -> String {
    if host.starts_with("ssh://") { host.to_owned() } else { format!("ssh://{host}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_through_the_last_of_several() {
        let hosts = "a@one:22,b@two:2222";
        assert_eq!((last(hosts), uri(last(hosts)).as_str()), ("b@two:2222", "ssh://b@two:2222"));
        assert_eq!(uri("ssh://c@three"), "ssh://c@three");
        assert_eq!((shown("a@[203.0.113.10]").as_str(), shown("[2001:db8::7]").as_str()), ("a@203.0.113.10", "[2001:db8::7]"));
        let proxy = proxy(Path::new("/run/50% full/m"), "two");
        assert_eq!(proxy, "ProxyCommand=ssh -S '/run/50%% full/m' -W '[%h]:%p' -- 'ssh://two'");
    }

    #[tokio::test]
    async fn nine_logins_to_one_sshd_wait_for_each_other_and_for_nobody_else() {
        let way = |port: &str| Resolved { hostname: "nine.example".into(), port: port.into(), jump: None, command: None, keys: None };
        let mut held = Vec::new();
        for _ in 0..LOGINS {
            held.push(gate(&way("22")).await);
        }
        let soon = std::time::Duration::from_millis(50);
        assert!(tokio::time::timeout(soon, gate(&way("22"))).await.is_err());
        assert!(tokio::time::timeout(soon, gate(&way("23"))).await.is_ok());
        held.pop();
        assert!(tokio::time::timeout(soon, gate(&way("22"))).await.is_ok());
    }
}
