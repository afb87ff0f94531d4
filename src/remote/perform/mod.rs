//! Changes to a host: each verb is a script, made here and nowhere else.

mod encryption;
mod file;
mod guard;
mod install;
mod push;
pub(super) mod release;
mod rules;
mod spool;
mod sshd;
#[cfg(test)]
mod stage;
mod token;
mod unit;

pub(super) use self::push::Shared;

use std::path::Path;
use std::time::Duration;

use super::Remote;
use super::error::Error;
use super::shell::Payload;
use crate::model::{Failure, Gatekeeper, HostAction, SSHD_UNPROVEN};

/// Told (bytes sent, in all).
pub type Sent<'a> = &'a (dyn Fn(u64, u64) + Send + Sync);

/// For what takes no time by itself.
const SHORT: Duration = Duration::from_secs(90);

impl Remote {
    /// Performs one action, and returns what there is to say of how it went. The artifact, chart or image that it needs, if it needs one, lies on the operator's side at `fetched`.
    ///
    /// # Errors
    /// Exit status and the last lines of what came back; a lost session; a lost lock.
    pub async fn perform(&self, action: &HostAction, fetched: &Path, sent: Sent<'_>) -> Result<Option<String>, Failure> {
        let what = action.to_string();
        let done = match action {
            HostAction::WriteFile(write) => self.write_file(&what, write).await,
            HostAction::MakeFolder { path, mode, owner } => self.script(&what, &file::folder(path, *mode, *owner), SHORT).await,
            HostAction::Link { path, target } => self.script(&what, &file::link(path, target), SHORT).await,
            HostAction::MakeToken { path } => self.script(&what, &token::script(path), SHORT).await,
            HostAction::Enforce(by, file) => {
                let trial = match by {
                    Gatekeeper::Nftables => rules::trial(file),
                    Gatekeeper::Sshd => sshd::trial(file, SSHD_UNPROVEN),
                };
                self.prove(&trial, file.content.bytes()).await
            }
            HostAction::Install(install) => self.install(&what, install, fetched, sent).await,
            HostAction::Unit { unit, change } => self.script(&what, &unit::script(unit, *change), SHORT).await,
            HostAction::Encrypt(how) => self.script(&what, &format!("{STRICT}{}", encryption::script(*how)), encryption::LIMIT).await,
            HostAction::Import(import) => {
                let said = self.import(&what, import, fetched, sent).await;
                return said.map(Some).map_err(|error| error.told(&self.id, what));
            }
            HostAction::RemoveImage { name, id } => self.script(&what, &push::remove(name, id), REMOVED).await,
            HostAction::PinImage { name } => self.script(&what, &push::pin(name), SHORT).await,
            HostAction::Release(release) => self.release(&what, release, fetched, sent).await,
        };
        done.map(|()| None).map_err(|error| error.told(&self.id, what))
    }

    /// Runs a script without payload that must succeed.
    async fn script(&self, what: &str, script: &str, limit: Duration) -> Result<(), Error> {
        self.send(what, script, &mut tokio::io::empty(), 0, &|_, _| {}, limit).await
    }

    /// Runs a script with a payload that must succeed.
    async fn send(
        &self,
        what: &str,
        script: &str,
        from: &mut (dyn tokio::io::AsyncRead + Send + Unpin),
        size: u64,
        sent: Sent<'_>,
        limit: Duration,
    ) -> Result<(), Error> {
        self.change(what, script, Payload { from, size, sent }, limit).await?.succeeded()
    }
}

/// For containerd to let go of an image.
const REMOVED: Duration = Duration::from_secs(180);

/// Begins scripts of several commands: the first error ends them.
const STRICT: &str = "set -eu\n";
