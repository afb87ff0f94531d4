//! One run at a time. A keeper, a second session as root, holds the lock on the host and hears our heartbeats. When they end it ends
//! the worker first, and only then itself: an orphan that still changes things can't outlive the lock.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use super::Remote;
use super::error::Error;
use super::line::{Input, Pipes, Running, Stream};
use super::shell::nonce;
use crate::model::Failure;

/// Between two heartbeats; the keeper gives up after 20 s without one.
const BEAT: Duration = Duration::from_secs(5);
/// For the keeper to come up.
const START: Duration = Duration::from_secs(30);
/// For the keeper to end once it is told to.
const END: Duration = Duration::from_secs(10);

/// Reads nonce, process group of the worker and who we are; then bytes: `.` is a heartbeat, `p` brings the process group of another
/// worker, `q` gives the lock back. At the end of its input, or after 20 s of silence, it ends the worker and all that it runs: 5 s for
/// helm to mark its release as failed, then by force. The lock's descriptor goes to no child that could outlive it.
pub(super) const KEEPER: &str = concat!(
    "umask 077; LC_ALL=C; PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; export LC_ALL PATH; cd /; ",
    "read -r k; case $k in bedplate-*) ;; *) exit 99;; esac; read -r w; read -r o; ",
    "exec 9>>/run/bedplate.lock; ",
    "if flock -n 9; then :; else echo; echo \"$k held $(head -n 1 /run/bedplate.lock)\"; exit 75; fi; ",
    "echo \"$o\" >/run/bedplate.lock; echo; echo \"$k locked\"; ",
    "while :; do b=$(timeout 20 head -c 1 9>&-); ",
    "case $b in p) read -r w;; q) exit 0;; .) ;; *) break;; esac; done; ",
    "kill -s TERM -- \"-$w\" 2>/dev/null; ",
    "i=0; while kill -s 0 -- \"-$w\" 2>/dev/null && [ $i -lt 25 ]; do sleep 0.2 9>&-; i=$((i+1)); done; ",
    "kill -s KILL -- \"-$w\" 2>/dev/null; ",
    "i=0; while kill -s 0 -- \"-$w\" 2>/dev/null && [ $i -lt 25 ]; do sleep 0.2 9>&-; i=$((i+1)); done; exit 0",
);

/// The lock, held. Dropping it without `release` ends the worker on the host, as a killed run does.
pub struct Lock {
    release: oneshot::Sender<()>,
    keeping: JoinHandle<()>,
}

impl Remote {
    /// Takes the lock on this host for as long as the value lives.
    ///
    /// # Errors
    /// Exit 75 and the holder's words when another run holds it.
    pub async fn lock(&self) -> Result<Lock, Failure> {
        let taken = tokio::time::timeout(START, keeper(self)).await.unwrap_or(Err(Error::Deadline(START)));
        let keeper = taken.map_err(|error| error.told(&self.id, "take the lock"))?;
        let (release, released) = oneshot::channel();
        let keeping = tokio::spawn(keep(keeper, self.group.subscribe(), Arc::clone(&self.barred), released));
        Ok(Lock { release, keeping })
    }
}

impl Lock {
    /// Gives it back; the worker lives on.
    pub async fn release(self) {
        // A keeper that is gone has nothing left to give back.
        if self.release.send(()).is_ok() {
            let _ = tokio::time::timeout(END, self.keeping).await;
        }
    }
}

/// A keeper that holds the lock.
struct Keeper {
    stdin: Input,
    stdout: BufReader<Stream>,
    /// The session ends with its handle.
    _running: Running,
}

async fn keeper(remote: &Remote) -> Result<Keeper, Error> {
    let lost = |error: std::io::Error| Error::Lost(error.to_string());
    let Pipes { mut stdin, stdout, mut stderr, running } = remote.root.spawn(&remote.line, KEEPER).await?;
    let nonce = nonce();
    let opening = format!("{nonce}\n{}\n{}\n", *remote.group.borrow(), holder().await);
    stdin.write_all(opening.as_bytes()).await.map_err(lost)?;
    let mut stdout = BufReader::new(stdout);
    let mut line = String::new();
    loop {
        line.clear();
        if stdout.read_line(&mut line).await.map_err(lost)? == 0 {
            let mut said = String::new();
            let _ = stderr.read_to_string(&mut said).await;
            let status = running.wait().await.unwrap_or(-1);
            return Err(Error::Script { status, stderr: said });
        }
        match line.trim_end().strip_prefix(nonce.as_str()).map(|word| word.trim_start().split_once(' ').unwrap_or((word.trim_start(), "")))
        {
            Some(("locked", _)) => return Ok(Keeper { stdin, stdout, _running: running }),
            Some(("held", by)) => return Err(Error::Locked(by.to_owned())),
            _ => {}
        }
    }
}

/// Beats until it is told to stop, or the keeper is gone.
async fn keep(mut keeper: Keeper, mut group: watch::Receiver<u32>, barred: Arc<AtomicBool>, mut released: oneshot::Receiver<()>) {
    let Keeper { stdin, stdout, _running } = &mut keeper;
    let mut beat = tokio::time::interval(BEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut rest = [0; 64];
    loop {
        let written = tokio::select! {
            _ = beat.tick() => stdin.write_all(b".").await,
            Ok(()) = group.changed() => {
                let now = *group.borrow_and_update();
                stdin.write_all(format!("p{now}\n").as_bytes()).await
            }
            told = &mut released => {
                if told.is_ok() && stdin.write_all(b"q").await.is_ok() {
                    // Its end is the sign that the lock is free.
                    while matches!(stdout.read(&mut rest).await, Ok(1..)) {}
                } else {
                    barred.store(true, Ordering::SeqCst);
                }
                return;
            }
            read = stdout.read(&mut rest) => match read {
                Ok(1..) => Ok(()),
                _ => Err(std::io::ErrorKind::BrokenPipe.into()),
            },
        };
        if written.is_err() {
            barred.store(true, Ordering::SeqCst);
            return;
        }
    }
}

/// Who we are, for whoever finds the lock held: `azat@laptop since 2026-11-21 06:34:31 UTC`.
async fn holder() -> String {
    let user = std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).unwrap_or_else(|_| "somebody".into());
    let named = tokio::process::Command::new("uname").arg("-n").output().await;
    let machine = named.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
    let since = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M:%S UTC");
    super::error::printable(&format!("{user}@{machine} since {since}"))
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::path::Path;
    use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
    use std::thread::JoinHandle;
    use std::time::Instant;

    use super::KEEPER;

    /// A keeper whose lock lies in `folder`, and what it says first.
    fn keeper(folder: &Path, worker: u32) -> (Child, ChildStdin, BufReader<ChildStdout>, String) {
        let program = KEEPER.replace("/run/bedplate.lock", folder.join("lock").to_str().unwrap());
        let mut child = Command::new("sh").args(["-c", &program]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        write!(stdin, "bedplate-x\n{worker}\nme@here since today\n").unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut said = String::new();
        while !said.starts_with("bedplate-x") {
            said.clear();
            assert!(stdout.read_line(&mut said).unwrap() > 0);
        }
        (child, stdin, stdout, said)
    }

    /// A worker that runs a child, in a process group of its own, and whether it was left alone. It is waited for at once, as sshd does:
    /// a process that nobody waits for is not gone.
    fn worker(seconds: u32) -> (u32, JoinHandle<bool>) {
        let program = format!("sleep {seconds} & sleep {seconds}; exit 0");
        let mut child = Command::new("setsid").args(["-w", "sh", "-c", &program]).spawn().unwrap();
        (child.id(), std::thread::spawn(move || child.wait().unwrap().success()))
    }

    #[test]
    fn a_closed_line_ends_the_worker_before_the_lock_is_free() {
        let folder = tempfile::tempdir().unwrap();
        let (group, spared) = worker(60);
        let (mut first, stdin, _stdout, said) = keeper(folder.path(), group);
        assert_eq!(said, "bedplate-x locked\n");
        let (_, _, _, said) = keeper(folder.path(), group);
        assert_eq!(said, "bedplate-x held me@here since today\n");
        let cut = Instant::now();
        drop(stdin);
        assert!(first.wait().unwrap().success());
        assert!(!spared.join().unwrap());
        // Ten seconds at most, where the first process of the machine is slow to bury orphans.
        assert!(cut.elapsed().as_secs() < 20, "{:?}", cut.elapsed());
        let (_, _, _, said) = keeper(folder.path(), group);
        assert_eq!(said, "bedplate-x locked\n");
    }

    #[test]
    fn a_lock_that_is_given_back_spares_the_worker_and_one_that_moved_hits_the_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let ((old, old_spared), (new, new_spared)) = (worker(2), worker(60));
        let (mut keeper, mut stdin, _stdout, _) = self::keeper(folder.path(), old);
        write!(stdin, "..p{new}\n.").unwrap();
        drop(stdin);
        keeper.wait().unwrap();
        assert!(!new_spared.join().unwrap());
        let (mut keeper, mut stdin, _stdout, said) = self::keeper(folder.path(), old);
        assert_eq!(said, "bedplate-x locked\n");
        stdin.write_all(b".q").unwrap();
        assert!(keeper.wait().unwrap().success() && old_spared.join().unwrap());
    }
}
