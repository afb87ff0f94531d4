//! How root is reached on a host.

use std::time::Duration;

use tokio::io::AsyncWriteExt as _;

use super::error::Error;
use super::line::{Line, Pipes};
use super::program::{Ascent, REAPER, as_root};
use super::prompt::Prompt;
use super::refusal::RootRefusal;
use super::shell::Shell;
use crate::model::{Privilege, Secret};

/// For a worker to be ended: it gets 5 s to end by itself.
const REAPED: Duration = Duration::from_secs(30);

/// What it takes to be root, once that is known.
pub(super) struct Root {
    pub(super) privilege: Privilege,
    password: Option<Secret>,
}

impl Root {
    /// Finds the way to root and starts the first shell: as root or by a sudo that asks nothing, else with a password. One session.
    pub(super) async fn climb(line: &Line, prompt: &Prompt, login: &str) -> Result<(Self, Shell), Error> {
        let (shell, password) = Shell::start(line, async || prompt.sudo_password(login).await).await?;
        Ok((Self { privilege: shell.privilege, password }, shell))
    }

    /// Starts another shell.
    pub(super) async fn shell(&self, line: &Line) -> Result<Shell, Error> {
        let wanted = || Error::Root(RootRefusal::PasswordWanted, String::new());
        let (shell, _) = Shell::start(line, async || self.password.clone().ok_or_else(wanted)).await?;
        Ok(shell)
    }

    /// Starts another program as root. sudo's password has been written; the rest of its input is the program's.
    pub(super) async fn spawn(&self, line: &Line, program: &str) -> Result<Pipes, Error> {
        let mut pipes = line.spawn(&as_root(program, self.ascent())).await?;
        if let Some(password) = &self.password {
            write_line(&mut pipes, password).await.map_err(|error| Error::Lost(error.to_string()))?;
        }
        Ok(pipes)
    }

    /// Ends a worker and all that it started.
    pub(super) async fn reap(&self, line: &Line, group: u32) -> Result<(), Error> {
        let end = async {
            let mut pipes = self.spawn(line, REAPER).await?;
            pipes.stdin.write_all(format!("{group}\n").as_bytes()).await.map_err(|error| Error::Lost(error.to_string()))?;
            match pipes.running.wait().await {
                Some(0) => Ok(()),
                _ => Err(Error::Lost("a hanging shell on the host could not be ended".into())),
            }
        };
        tokio::time::timeout(REAPED, end).await.map_err(|_| Error::Deadline(REAPED))?
    }

    const fn ascent(&self) -> Ascent {
        match self.password {
            None => Ascent::Unasked,
            Some(_) => Ascent::Password,
        }
    }
}

async fn write_line(pipes: &mut Pipes, password: &Secret) -> std::io::Result<()> {
    // Sized at once, so that no copy of it stays behind.
    let mut line = Vec::with_capacity(password.expose().len() + 1);
    line.extend_from_slice(password.expose());
    line.push(b'\n');
    let line = Secret::new(line);
    pipes.stdin.write_all(line.expose()).await?;
    pipes.stdin.flush().await
}
