//! The user's own `ssh`, started as a multiplexing master. It logs at DEBUG1, whatever the user's LogLevel: only there it says which keys
//! it had and what a host that hung up said, so that one failed attempt is enough to know why.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use openssh::Session;
use tokio::io::AsyncReadExt as _;
use tokio::process::{ChildStderr, Command};
use tokio::time::timeout;

use super::error::Error;
use super::jump::Jump;
use super::refusal::LoginRefusal;

/// For TCP, key exchange and version exchange together, seconds (ssh_config: ConnectTimeout).
const CONNECT: u64 = 15;
/// For the whole login: a sshd that looks up names or asks PAM may be slow.
const LOGIN: Duration = Duration::from_secs(60);
/// Seconds between two questions of ssh whether the host is still there. It gives up when the fourth is due and none was answered
/// (openssh-portable: clientloop.c, server_alive_check): a dead line is known within 20 s.
const ALIVE: u64 = 4;
/// How long a master outlives a tool that was killed, seconds.
const IDLE: u64 = 10;
/// For the last words of a ssh that has ended. A child of its own (ProxyCommand) may hold the pipe open for longer.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// Bytes of the log that are kept.
const KEPT: usize = 64 << 10;
/// Most bytes that ssh logs during a login, some 10 kB as a rule. What goes beyond is a banner without end.
const MOST: usize = 512 << 10;

/// Where to, and how.
pub(super) struct Login<'a> {
    /// A name of the user's ssh_config, an address, or `ssh://user@name:port`.
    pub(super) destination: &'a str,
    /// Further arguments of ssh.
    pub(super) arguments: Vec<OsString>,
    /// Where a folder for the socket is made.
    pub(super) folder: &'a Path,
    /// What the way leads through; kept for as long as the master lives.
    pub(super) jump: Option<Arc<Jump>>,
}

/// A master that is logged in.
#[derive(Debug)]
pub(super) struct Master {
    /// Ends the master when it is dropped.
    pub(super) session: Session,
    /// Its socket.
    pub(super) socket: PathBuf,
}

/// Logs in.
pub(super) async fn login(login: Login<'_>) -> Result<Master, Error> {
    let made = tempfile::Builder::new().prefix("ssh-").tempdir_in(login.folder);
    let folder = made.map_err(|error| Error::here(&format!("make a folder in {}", login.folder.display()), &error))?;
    let socket = folder.path().join("master");
    let mut ssh = Command::new("ssh");
    ssh.args(["-v", "-M", "-N", "-f", "-S"]).arg(&socket);
    for option in [
        &format!("ControlPersist={IDLE}s"),
        &format!("ConnectTimeout={CONNECT}"),
        &format!("ServerAliveInterval={ALIVE}"),
        "ServerAliveCountMax=3",
        "BatchMode=yes",
        "StrictHostKeyChecking=yes",
        // The user's own (LocalForward): they are not for us, and two logins can't have the same port. What the master is asked for later stays.
        "ClearAllForwardings=yes",
    ] {
        ssh.args(["-o", option]);
    }
    ssh.args(&login.arguments).arg("--").arg(login.destination);
    ssh.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = ssh.spawn().map_err(|error| Error::Connect(LoginRefusal::NoSsh, error.to_string()))?;
    let mut log = Log { from: child.stderr.take(), kept: Vec::new(), read: 0 };
    let ended = async {
        loop {
            tokio::select! {
                () = log.more(), if log.from.is_some() => {
                    if log.read > MOST {
                        return Err(Error::Connect(LoginRefusal::EndlessBanner, String::new()));
                    }
                }
                // Once it is logged in it goes into the background, and keeps its log open.
                ended = child.wait() => return ended.map_err(|error| Error::here("wait for ssh", &error)),
            }
        }
    };
    let slow = || Error::Connect(LoginRefusal::NoAnswer, format!("login took longer than {} s", LOGIN.as_secs()));
    let ended = timeout(LOGIN, ended).await.unwrap_or_else(|_| Err(slow()))?;
    if ended.success() {
        tokio::spawn(drain(log, login.jump));
        return Ok(Master { session: Session::new_native_mux(folder), socket });
    }
    let rest = async {
        while log.from.is_some() && log.read < MOST {
            log.more().await;
        }
    };
    // Whether it ended or was cut, what came is what there is.
    let _ = timeout(LAST_WORDS, rest).await;
    let said = String::from_utf8_lossy(&log.kept).into_owned();
    Err(Error::Connect(LoginRefusal::of(&said), said))
}

/// What ssh logs: the last of it.
struct Log {
    /// None at its end.
    from: Option<ChildStderr>,
    kept: Vec<u8>,
    /// Bytes in all.
    read: usize,
}

impl Log {
    /// Reads what is there, or waits for it.
    async fn more(&mut self) {
        let Some(from) = &mut self.from else { return };
        let mut chunk = [0; 4096];
        match from.read(&mut chunk).await {
            Ok(read @ 1..) => {
                self.read += read;
                self.kept.extend_from_slice(&chunk[..read]);
                self.kept.drain(..self.kept.len().saturating_sub(KEPT));
            }
            _ => self.from = None,
        }
    }
}

/// Keeps the log's pipe empty until the master ends, and what it leads through alive.
async fn drain(mut log: Log, jump: Option<Arc<Jump>>) {
    while log.from.is_some() {
        log.more().await;
    }
    drop(jump);
}
