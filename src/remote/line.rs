//! The way to a host: an SSH session, or none when the host is this machine.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use openssh::Session;
use tokio::io::{AsyncRead, AsyncWrite};

use super::error::Error;

/// For sshd to open a session or a port: it may ask PAM first.
const OPEN: Duration = Duration::from_secs(30);

/// A program's standard input.
pub(super) type Input = Box<dyn AsyncWrite + Send + Sync + Unpin>;
/// A program's standard output or error.
pub(super) type Stream = Box<dyn AsyncRead + Send + Sync + Unpin>;

/// The way to a host.
#[derive(Clone, Debug)]
pub(super) enum Line {
    /// The user's own `ssh`, as a multiplexing master.
    Ssh(Arc<Session>),
    /// This machine.
    Local,
}

/// A running program's streams. Ends of them that are dropped are closed.
pub(super) struct Pipes {
    pub(super) stdin: Input,
    pub(super) stdout: Stream,
    pub(super) stderr: Stream,
    /// Its handle: an SSH session ends when it is dropped.
    pub(super) running: Running,
}

/// A running program.
pub(super) enum Running {
    Remote(Box<openssh::Child<Arc<Session>>>),
    Local(Box<tokio::process::Child>),
}

impl Running {
    /// Waits for its end: the exit status, or none if it was killed or the line is lost.
    pub(super) async fn wait(self) -> Option<i32> {
        match self {
            Self::Remote(child) => match child.wait().await {
                Ok(status) => status.code(),
                // The crate turns 127 into an error of its own.
                Err(openssh::Error::Remote(_)) => Some(127),
                Err(_) => None,
            },
            Self::Local(mut child) => child.wait().await.ok().and_then(|status| status.code()),
        }
    }
}

impl Line {
    /// Whether it still stands, as far as ssh knows.
    pub(super) async fn stands(&self) -> Result<(), Error> {
        match self {
            Self::Ssh(session) => within(session.check()).await,
            Self::Local => Ok(()),
        }
    }

    /// Gives `command` to the login shell.
    pub(super) async fn spawn(&self, command: &str) -> Result<Pipes, Error> {
        match self {
            Self::Ssh(session) => {
                let mut command = Arc::clone(session).arc_raw_command(command);
                command.stdin(openssh::Stdio::piped()).stdout(openssh::Stdio::piped()).stderr(openssh::Stdio::piped());
                let mut child = within(command.spawn()).await?;
                let streams = (child.stdin().take(), child.stdout().take(), child.stderr().take());
                let (Some(stdin), Some(stdout), Some(stderr)) = streams else { return Err(Error::Lost("no streams".into())) };
                let running = Running::Remote(Box::new(child));
                Ok(Pipes { stdin: Box::new(stdin), stdout: Box::new(stdout), stderr: Box::new(stderr), running })
            }
            Self::Local => {
                let mut child = tokio::process::Command::new("sh")
                    .args(["-c", command])
                    .stdin(Stdio::piped())
                    .stdout(Stdio::piped())
                    .stderr(Stdio::piped())
                    .spawn()
                    .map_err(|error| Error::Lost(error.to_string()))?;
                let streams = (child.stdin.take(), child.stdout.take(), child.stderr.take());
                let (Some(stdin), Some(stdout), Some(stderr)) = streams else { return Err(Error::Lost("no streams".into())) };
                let running = Running::Local(Box::new(child));
                Ok(Pipes { stdin: Box::new(stdin), stdout: Box::new(stdout), stderr: Box::new(stderr), running })
            }
        }
    }
}

/// Asks the master for something.
pub(super) async fn within<T>(asked: impl Future<Output = Result<T, openssh::Error>>) -> Result<T, Error> {
    match tokio::time::timeout(OPEN, asked).await {
        Err(_) => Err(Error::Deadline(OPEN)),
        Ok(opened) => opened.map_err(|error| Error::lost(&error)),
    }
}
