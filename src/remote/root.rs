//! How root is reached on a host.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::error::Error;
use super::line::{Line, Pipes};
use super::program::{Ascent, PASSWORD_PROBE, REAPER, as_root};
use super::prompt::Prompt;
use super::refusal::RootRefusal;
use super::shell::Shell;
use crate::model::{Privilege, Secret};

/// For sudo to judge a password: PAM may delay a wrong one.
const JUDGED: Duration = Duration::from_secs(30);
/// For a worker to be ended: it gets 5 s to end by itself.
const REAPED: Duration = Duration::from_secs(30);

/// What it takes to be root, once that is known.
pub(super) struct Root {
    pub(super) privilege: Privilege,
    password: Option<Secret>,
}

impl Root {
    /// Finds the way to root and starts the first shell: as root or by a sudo that asks nothing, else with a password.
    pub(super) async fn climb(line: &Line, prompt: &Prompt, login: &str) -> Result<(Self, Shell), Error> {
        match Shell::start(line, Ascent::Unasked, None).await {
            Ok(shell) => {
                let privilege = if shell.sudo { Privilege::Sudo } else { Privilege::Root };
                Ok((Self { privilege, password: None }, shell))
            }
            Err(Error::Root(RootRefusal::PasswordWanted, _)) => {
                let password = prompt.sudo_password(login).await?;
                probe(line, &password).await?;
                let shell = Shell::start(line, Ascent::Password, Some(&password)).await?;
                Ok((Self { privilege: Privilege::SudoPassword, password: Some(password) }, shell))
            }
            Err(other) => Err(other),
        }
    }

    /// Starts another shell.
    pub(super) async fn shell(&self, line: &Line) -> Result<Shell, Error> {
        Shell::start(line, self.ascent(), self.password.as_ref()).await
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

/// Whether sudo takes the password. Its input ends behind the password, so that a wrong one is refused and not asked for again.
async fn probe(line: &Line, password: &Secret) -> Result<(), Error> {
    let judge = async {
        let mut pipes = line.spawn(PASSWORD_PROBE).await?;
        // A sudo that refuses without reading is heard below.
        let _ = write_line(&mut pipes, password).await;
        drop(pipes.stdin);
        let mut said = Vec::new();
        let _ = pipes.stderr.take(4000).read_to_end(&mut said).await;
        match pipes.running.wait().await {
            Some(0) => Ok(()),
            _ => {
                let said = String::from_utf8_lossy(&said).into_owned();
                Err(Error::Root(RootRefusal::of(&said), said))
            }
        }
    };
    tokio::time::timeout(JUDGED, judge).await.map_err(|_| Error::Deadline(JUDGED))?
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
