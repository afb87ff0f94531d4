//! What the user's ssh_config makes of a host.

use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use crate::inventory::Host;

/// For `ssh -G`: a `Match exec` of the user's may hang.
const READ: Duration = Duration::from_secs(10);

/// Where ssh would connect to (`ssh -G`, which contacts nobody).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Resolved {
    pub(super) hostname: String,
    pub(super) port: String,
    /// Jump hosts, as `-J` takes them.
    pub(super) jump: Option<String>,
    /// A program instead of TCP.
    pub(super) command: Option<String>,
    /// A program that knows keys (KnownHostsCommand, since OpenSSH 8.5).
    pub(super) keys: Option<String>,
}

impl Resolved {
    /// None if ssh can't read its configuration; why, a login tells.
    pub(super) async fn of(host: &Host) -> Option<Self> {
        let mut ssh = Command::new("ssh");
        destination(ssh.arg("-G"), host);
        ssh.stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let output = tokio::time::timeout(READ, ssh.output()).await.ok()?.ok()?;
        Self::read(&String::from_utf8(output.stdout).ok()?)
    }

    fn read(config: &str) -> Option<Self> {
        let value = |name: &str| config.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        let way = |name| value(name).filter(|&way| way != "none").map(str::to_owned);
        let jump = way("proxyjump");
        Some(Self {
            hostname: value("hostname")?.into(),
            port: value("port")?.into(),
            jump,
            command: way("proxycommand"),
            keys: way("knownhostscommand"),
        })
    }
}

/// The arguments that name a host.
pub(super) fn destination(ssh: &mut Command, host: &Host) {
    if let Some(user) = &host.user {
        ssh.args(["-l", user]);
    }
    if let Some(port) = host.port {
        ssh.args(["-p", &port.to_string()]);
    }
    ssh.arg("--").arg(&host.address);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_that_is_none_is_none() {
        // As OpenSSH 9.2 prints it, in parts.
        let read = |text: &str| Resolved::read(&format!("host a\nuser azat\nhostname 203.0.113.10\nport 22\n{text}")).unwrap();
        assert_eq!((read("").jump, read("proxyjump none\n").jump), (None, None));
        assert_eq!(read("proxyjump azat@bastion:2222,b\n").jump.as_deref(), Some("azat@bastion:2222,b"));
        assert_eq!(read("proxycommand nc %h %p\n").command.as_deref(), Some("nc %h %p"));
        assert_eq!(read("knownhostscommand /usr/bin/keys %H\n").keys.as_deref(), Some("/usr/bin/keys %H"));
        assert_eq!(Resolved::read("garbage"), None);
    }
}
