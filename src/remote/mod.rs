//! Hosts over SSH: the session, root, one shell per host, questions, actions, the lock and the tunnel. Nothing else speaks SSH.

mod ask;
mod beside;
mod config;
mod connect;
mod digest;
mod error;
mod frame;
mod helm;
mod host_key;
mod hosts;
mod jump;
mod keeper;
mod line;
mod lock;
mod log;
mod master;
mod perform;
mod program;
mod prompt;
mod quote;
mod refusal;
mod root;
mod runtime;
mod shell;
mod sweep;
mod tunnel;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::{Mutex, OnceCell, watch};

use self::error::Error;
use self::frame::Output;
use self::line::Line;
use self::perform::Shared;
use self::root::Root;
use self::shell::{Payload, Shell};
use crate::inventory::{Connection, Host};
use crate::model::{Failure, HostId};

pub use self::hosts::Hosts;
pub use self::lock::Lock;
pub use self::log::Mark;
pub use self::prompt::{PASSWORD_FILE, Prompt, answered, type_in};

/// containerd's blobs as k3s lays them out (containerd: plugins/content/local).
const STORE: &str = "/var/lib/rancher/k3s/agent/containerd/io.containerd.content.v1.content/blobs/sha256";

/// A host that we are connected to, as root.
pub struct Remote {
    id: HostId,
    host: Host,
    login: String,
    line: Line,
    root: Root,
    /// None while it is in use, and after a use that did not come to its end.
    shell: Mutex<Option<Shell>>,
    /// The worker's process group: what the lock's keeper ends.
    group: watch::Sender<u32>,
    /// Set once the lock was lost: nothing may be changed any more.
    barred: Arc<AtomicBool>,
    /// Set once the lock is held: from then on actions are logged on the host.
    logged: AtomicBool,
    who: OnceCell<String>,
    /// With other hosts of the run, if there are any.
    shared: Option<Arc<Shared>>,
    /// Where sockets of `folder` lead.
    ways: Mutex<BTreeMap<SocketAddr, PathBuf>>,
    /// Sockets and known_hosts; gone with the connection.
    folder: TempDir,
}

impl Remote {
    /// Connects to a host and becomes root there.
    ///
    /// # Errors
    /// Exit 69 when the host can't be reached; 77 when its key, sshd or sudo refuses, or when a question could not be asked.
    pub async fn connect(host: &Host, prompt: &Prompt) -> Result<Self, Failure> {
        let id = HostId(host.name.clone());
        let login = connect::login(host);
        let failed = |error: Error| error.told(&id, format!("connect to {login}"));
        let folder = runtime::folder().map_err(failed)?;
        let line = match host.connection {
            Connection::Local => Line::Local,
            Connection::Ssh => connect::connect(host, prompt, folder.path()).await.map_err(failed)?,
        };
        let (root, shell) = Root::climb(&line, prompt, &login).await.map_err(|error| error.told(&id, format!("become root as {login}")))?;
        let group = watch::Sender::new(shell.group);
        Ok(Self {
            id,
            host: host.clone(),
            login,
            line,
            root,
            shell: Mutex::new(Some(shell)),
            group,
            barred: Arc::default(),
            logged: AtomicBool::new(false),
            who: OnceCell::new(),
            shared: None,
            ways: Mutex::default(),
            folder,
        })
    }

    /// The same host as one of several.
    fn sharing(mut self, shared: Option<Arc<Shared>>) -> Self {
        self.shared = shared;
        self
    }

    /// The host's name in the inventory.
    #[must_use]
    pub fn id(&self) -> &HostId {
        &self.id
    }

    /// Whether it is still ours, as far as is known here.
    ///
    /// # Errors
    /// The lock is lost, or the line is (69).
    pub async fn stands(&self, tried: &str) -> Result<(), Failure> {
        let known = match self.unbarred() {
            Ok(()) => self.line.stands().await,
            lost => lost,
        };
        known.map_err(|error| error.told(&self.id, tried))
    }

    /// Whether nothing runs on the host by our will, but for what ends with its shell.
    fn idle(&self) -> bool {
        self.shell.try_lock().is_ok_and(|slot| slot.is_some())
    }

    /// Demands that the lock was not lost.
    fn unbarred(&self) -> Result<(), Error> {
        if self.barred.load(Ordering::SeqCst) { Err(Error::LockLost) } else { Ok(()) }
    }

    /// Runs a script that changes something: `what`, in the words of the log.
    async fn change(&self, what: &str, script: &str, payload: Payload<'_>, limit: Duration) -> Result<Output, Error> {
        let logged = self.with_log(what, script).await?;
        self.run(&logged, payload, limit).await
    }

    /// Such a script with its lines for the log.
    async fn with_log(&self, what: &str, script: &str) -> Result<String, Error> {
        self.unbarred()?;
        Ok(match self.logged.load(Ordering::SeqCst) {
            true => log::logged(self.who().await, what, script),
            false => script.to_owned(),
        })
    }

    /// Runs a script without a payload.
    async fn run_alone(&self, script: &str, limit: Duration) -> Result<Output, Error> {
        self.run(script, Payload { from: &mut tokio::io::empty(), size: 0, sent: &|_, _| {} }, limit).await
    }

    /// Runs a script with a payload.
    async fn run(&self, script: &str, payload: Payload<'_>, limit: Duration) -> Result<Output, Error> {
        let mut slot = self.shell.lock().await;
        let mut shell = self.shell(&mut slot).await?;
        let output = shell.run(script, payload, limit).await?;
        *slot = Some(shell);
        Ok(output)
    }

    /// Takes the shell out of its slot, to be put back after a use that came to its end. A shell that is missing was left in the middle
    /// of something: its worker is ended and another one started.
    async fn shell(&self, slot: &mut Option<Shell>) -> Result<Shell, Error> {
        if let Some(shell) = slot.take() {
            return Ok(shell);
        }
        let left = *self.group.borrow();
        self.root.reap(&self.line, left).await?;
        let shell = self.root.shell(&self.line).await?;
        self.group.send_replace(shell.group);
        Ok(shell)
    }
}
