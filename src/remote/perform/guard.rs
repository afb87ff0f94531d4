//! What may lock us out goes under a dead man's switch: a timer on the host that takes it back. The switch is stopped once a new SSH
//! connection has come in and what holds is kept. A run that dies before leaves the switch behind.

use std::time::Duration;

use super::STRICT;
use crate::inventory::Connection;
use crate::remote::Remote;
use crate::remote::connect;
use crate::remote::error::Error;
use crate::remote::quote::quote;
use crate::remote::refusal::LoginRefusal;
use crate::remote::runtime;
use crate::remote::shell::nonce;

/// How long lasts what nobody proves. A login takes at most a minute. What `arm` does once the switch is set must be over by then: two calls,
/// and for sshd 30 s for the lock, a call and 10 s until it listens are 70 s.
const LAST: Duration = Duration::from_secs(90);
/// For a call of systemd, seconds.
const CALL: u64 = 10;
/// For `arm`, which makes one call more, and for `kept`: a lock and two calls.
const TRY: Duration = Duration::from_secs(90);
/// For what takes it back: sshd's waits 60 s for a lock, until a hanging `arm` was ended, makes a call and waits 10 s; then one call more.
const BACK: Duration = Duration::from_secs(120);

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
    /// Whether this is how it shuts one out.
    pub(super) shuts: fn(&LoginRefusal) -> bool,
    /// What to do where it did.
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
        let tried = self.send(&format!("try {path}"), &trial.arm(&switch), &mut &*bytes, size, &|_, _| {}, TRY).await;
        let proven = match tried {
            Ok(()) => self.comes_in().await.map_err(|error| trial.shut(error)),
            Err(error) => Err(error),
        };
        let kept = match proven {
            Ok(()) => self.send(&format!("keep {path}"), &trial.kept(&switch), &mut &*bytes, size, &|_, _| {}, TRY).await,
            Err(error) => Err(error),
        };
        match kept {
            // What could not be kept must not stay; where the line is gone, the switch sees to it.
            Err(error) if !matches!(error, Error::Lost(_) | Error::LockLost) => {
                self.script(&format!("take back {path}"), &trial.take_back(&switch), BACK).await?;
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

    /// Nobody comes in, and that may be no fault of this.
    pub(super) fn shut(&self, why: Error) -> Error {
        let ours = matches!(&why, Error::Connect(refusal, _) if (self.shuts)(refusal));
        Error::Shut(ours.then_some(self.cure), Box::new(why))
    }

    /// Takes the payload. The switch is set before it holds; one that a killed run left is stopped.
    pub(super) fn arm(&self, switch: &str) -> String {
        format!(
            "{STRICT}{ready}\
             timeout --foreground {CALL} systemd-run -q --collect --unit={switch} --on-active={last} --timer-property=AccuracySec=1s \
             --property=Type=oneshot -- /bin/sh -c {back}\n\
             timeout --foreground {CALL} systemctl list-units --all --plain --no-legend '{all}.timer' | while read -r u _; do\n\
             [ \"$u\" = {switch}.timer ] || timeout --foreground {CALL} systemctl stop \"$u\" || ! systemctl is-active -q \"$u\"; done\n\
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
             {keep}timeout --foreground {CALL} systemctl stop {switch}.timer\n\
             timeout --foreground {CALL} systemctl stop {switch}.service 2>/dev/null || :\n{settle}",
            keep = self.keep,
            settle = self.settle,
        )
    }

    /// Takes it back now. The switch stays set until that is done; where it fell already, it may have failed, or come too early.
    pub(super) fn take_back(&self, switch: &str) -> String {
        format!(
            "if sh -c {back}; then timeout --foreground {CALL} systemctl stop {switch}.timer 2>/dev/null || :; exit 0; fi\n\
             if systemctl is-active --quiet {switch}.timer; then echo 'not taken back yet: a timer tries it again within {last} s' >&2\n\
             else echo 'not taken back: mend it by a session that stands, or at the console' >&2; fi\nexit 1",
            back = quote(&self.back),
            last = LAST.as_secs(),
        )
    }
}
