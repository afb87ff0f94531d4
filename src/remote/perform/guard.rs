//! What may lock us out goes under a dead man's switch: a timer on the host that takes it back. The switch is stopped once a new SSH
//! connection has come in and what holds is kept. A run that dies before leaves the switch behind.

use std::time::Duration;

use super::{SHORT, STRICT};
use crate::inventory::Connection;
use crate::remote::Remote;
use crate::remote::connect;
use crate::remote::error::Error;
use crate::remote::quote::quote;
use crate::remote::runtime;
use crate::remote::shell::nonce;

/// How long lasts what nobody proves. A login takes at most a minute.
const LAST: Duration = Duration::from_secs(90);

/// A change that may lock us out, in scripts.
pub(super) struct Trial {
    /// Of whom: its switches are called by it.
    pub(super) of: &'static str,
    /// What is kept in the end.
    pub(super) path: String,
    /// Takes the payload, and sees that it is fit. Nothing has changed yet.
    pub(super) ready: String,
    /// Makes it hold.
    pub(super) enforce: String,
    /// What the switch does: back to what was proven last, also after `keep`.
    pub(super) back: String,
    /// Takes the payload again. Once it is over, what holds is what was proven last, after a reboot as well.
    pub(super) keep: String,
    /// Once the switch is stopped, which may have been about to fall.
    pub(super) settle: String,
    /// What to do where nobody could come in.
    pub(super) cure: &'static str,
}

impl Remote {
    /// Makes it hold; keeps it if one can still come in.
    pub(super) async fn prove(&self, trial: &Trial, bytes: &[u8]) -> Result<(), Error> {
        if self.host.connection == Connection::Local {
            return Err(Error::Here("this waits for a new ssh connection, and the host is reached without ssh".into()));
        }
        let path = &trial.path;
        let size = bytes.len() as u64;
        let switch = trial.switch(&nonce());
        let tried = self.send(&format!("try {path}"), &trial.arm(&switch), &mut &*bytes, size, &|_, _| {}, SHORT).await;
        let proven = match tried {
            Ok(()) => self.comes_in().await.map_err(|error| Error::Shut(trial.cure, Box::new(error))),
            Err(error) => Err(error),
        };
        let kept = match proven {
            Ok(()) => self.send(&format!("keep {path}"), &trial.kept(&switch), &mut &*bytes, size, &|_, _| {}, SHORT).await,
            Err(error) => Err(error),
        };
        match kept {
            // What could not be kept must not stay; where the line is gone, the switch sees to it.
            Err(error) if !matches!(error, Error::Lost(_) | Error::LockLost) => {
                self.script(&format!("take back {path}"), &take_back(&switch), SHORT).await?;
                match error {
                    Error::Shut(..) => Err(self.comes_in().await.err().map_or(error, |why| Error::StillShut(Box::new(why)))),
                    error => Err(error),
                }
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

impl Trial {
    /// Each switch has a name of its own, so that a new one is set before an old one is stopped.
    fn switch(&self, nonce: &str) -> String {
        nonce.replace("bedplate-", &format!("bedplate-switch-{}-", self.of))
    }

    /// Takes the payload. The switch is set before it holds; one that a killed run left is stopped.
    pub(super) fn arm(&self, switch: &str) -> String {
        format!(
            "{STRICT}{ready}\
             timeout --foreground 30 systemd-run -q --collect --unit={switch} --on-active={last} --timer-property=AccuracySec=1s \
             --property=Type=oneshot -- /bin/sh -c {back}\n\
             timeout --foreground 30 systemctl list-units --all --plain --no-legend '{all}.timer' | while read -r u _; do\n\
             [ \"$u\" = {switch}.timer ] || timeout --foreground 30 systemctl stop \"$u\" || ! systemctl is-active -q \"$u\"; done\n\
             {enforce}",
            ready = self.ready,
            last = LAST.as_secs(),
            back = quote(&self.back),
            all = self.switch("bedplate-*"),
            enforce = self.enforce,
        )
    }

    /// Takes the payload again.
    pub(super) fn kept(&self, switch: &str) -> String {
        format!(
            "{STRICT}systemctl is-active --quiet {switch}.timer || {{ echo 'the new connection came too late: it is taken back' >&2; exit 1; }}\n\
             {keep}timeout --foreground 30 systemctl stop {switch}.timer\n\
             timeout --foreground 30 systemctl stop {switch}.service 2>/dev/null || :\n{settle}",
            keep = self.keep,
            settle = self.settle,
        )
    }
}

/// Lets the switch fall now, and waits for it. One that fell already is gone.
pub(super) fn take_back(switch: &str) -> String {
    format!(
        "if systemctl is-active --quiet {switch}.timer; then timeout --foreground 30 systemctl start {switch}.service || :; fi\n\
         timeout --foreground 30 systemctl stop {switch}.timer 2>/dev/null || :"
    )
}
