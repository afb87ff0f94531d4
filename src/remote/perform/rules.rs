//! nftables' rules, under a dead man's switch: a timer on the host that takes them back. The switch is stopped once a new SSH connection has
//! come in and the rules lie in their file. A run that dies before leaves the switch behind; a reboot reads the file, and so what was proven.

use std::time::Duration;

use super::file::{self, parents, temporary};
use super::{SHORT, STRICT};
use crate::inventory::Connection;
use crate::model::{FileWrite, Owner};
use crate::remote::Remote;
use crate::remote::connect;
use crate::remote::error::Error;
use crate::remote::quote::quote;
use crate::remote::runtime;
use crate::remote::shell::nonce;

/// How long the rules last that nobody proves. A login takes at most a minute.
const LAST: Duration = Duration::from_secs(90);

/// How switches begin; each has a name of its own, so that a new one is set before an old one is stopped.
const SWITCH: &str = "bedplate-switch-";

impl Remote {
    /// Enforces rules; keeps them if one can still come in.
    pub(super) async fn enforce(&self, rules: &FileWrite) -> Result<(), Error> {
        if self.host.connection == Connection::Local {
            return Err(Error::Here("these rules wait for a new ssh connection, and the host is reached without ssh".into()));
        }
        let path = &rules.path;
        let switch = nonce().replace("bedplate-", SWITCH);
        let bytes = rules.content.bytes();
        let size = bytes.len() as u64;
        let tried = self.send(&format!("try {path}"), &arm(path, size, &switch), &mut &*bytes, size, &|_, _| {}, SHORT).await;
        let proven = match tried {
            Ok(()) => self.comes_in().await.map_err(|error| Error::Shut(Box::new(error))),
            Err(error) => Err(error),
        };
        let kept = match proven {
            Ok(()) => self.send(&format!("keep {path}"), &keep(rules, size, &switch), &mut &*bytes, size, &|_, _| {}, SHORT).await,
            Err(error) => Err(error),
        };
        match kept {
            // What could not be kept must not stay; where the line is gone, the switch sees to it.
            Err(error) if !matches!(error, Error::Lost(_) | Error::LockLost) => {
                self.script(&format!("take back {path}"), &take_back(&switch), SHORT).await?;
                Err(error)
            }
            kept => kept,
        }
    }

    /// A login that shares nothing with the one that stands, from the first packet on.
    async fn comes_in(&self) -> Result<(), Error> {
        let folder = runtime::folder()?;
        connect::attempt(&self.host, folder.path()).await.map(drop)
    }
}

/// Takes the rules as payload. The switch is set before they hold.
fn arm(path: &str, size: u64, switch: &str) -> String {
    format!(
        "{STRICT}{parents}{temporary}cat >\"$t\"\n[ \"$(stat -c %s \"$t\")\" = {size} ] || {{ echo 'not all bytes arrived' >&2; exit 1; }}\n\
         nft -c -f \"$t\"\n\
         timeout --foreground 30 systemd-run -q --collect --unit={switch} --on-active={last} --timer-property=AccuracySec=1s \
         --property=Type=oneshot -- /bin/sh -c {back}\n\
         timeout --foreground 30 systemctl list-units --all --plain --no-legend '{SWITCH}*.timer' | while read -r u _; do\n\
         [ \"$u\" = {switch}.timer ] || timeout --foreground 30 systemctl stop \"$u\" || ! systemctl is-active -q \"$u\"; done\n\
         nft -f \"$t\"\n",
        parents = parents(path, Owner::Root),
        temporary = temporary(path),
        last = LAST.as_secs(),
        back = quote(&back(path)),
    )
}

/// What the switch does: back to what was proven last, or to nothing.
fn back(path: &str) -> String {
    format!("nft -f {} || nft delete table inet bedplate", quote(path))
}

/// Takes the rules as payload. From the moment on when the file bears its name, the switch would enforce the same. They are enforced once
/// more, should the switch have been about to fall.
fn keep(rules: &FileWrite, size: u64, switch: &str) -> String {
    format!(
        "systemctl is-active --quiet {switch}.timer || {{ echo 'the new connection came too late: the rules are taken back' >&2; exit 1; }}\n\
         {write}timeout --foreground 30 systemctl stop {switch}.timer\n\
         timeout --foreground 30 systemctl stop {switch}.service 2>/dev/null || :\nnft -f {path}\n",
        write = file::write(rules, size),
        path = quote(&rules.path),
    )
}

/// Lets the switch fall now, and waits for it. One that fell already is gone.
fn take_back(switch: &str) -> String {
    format!(
        "if systemctl is-active --quiet {switch}.timer; then timeout --foreground 30 systemctl start {switch}.service || :; fi\n\
         timeout --foreground 30 systemctl stop {switch}.timer 2>/dev/null || :"
    )
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
