//! One run at a time on a host. A keeper, a second session as root, holds the lock there and hears our heartbeats. When they end it ends
//! the worker first, and only then itself: an orphan that still changes things can't outlive the lock.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use super::Remote;
use super::error::printable;
use super::keeper::Keeper;
use super::log::Mark;
use crate::model::Failure;

/// Between two heartbeats; the keeper gives up after 20 s without one.
const BEAT: Duration = Duration::from_secs(5);
/// For the keeper to end once it is told to.
const END: Duration = Duration::from_secs(10);

/// The lock, held. Dropping it without `release` ends the worker on the host, as a killed run does.
pub struct Lock {
    who: String,
    log: mpsc::UnboundedSender<String>,
    release: oneshot::Sender<()>,
    keeping: JoinHandle<()>,
}

impl Remote {
    /// Takes the lock on this host for as long as the value lives. One that another run holds is waited for, `patience` long.
    ///
    /// # Errors
    /// Exit 75 and the holder's words when another run holds it.
    pub async fn lock(&self, patience: Duration) -> Result<Lock, Failure> {
        let tried = match patience.as_secs() {
            0 => "take the lock".to_owned(),
            seconds => format!("take the lock within {seconds} s"),
        };
        let keeper = Keeper::start(self, patience).await.map_err(|error| error.told(&self.id, tried))?;
        let (release, released) = oneshot::channel();
        let (log, lines) = mpsc::unbounded_channel();
        let who = self.who().await.to_owned();
        self.logged.store(true, Ordering::SeqCst);
        let keeping = tokio::spawn(keep(keeper, self.group.subscribe(), lines, Arc::clone(&self.barred), released));
        Ok(Lock { who, log, release, keeping })
    }

    /// Who we are, for whoever finds the lock held or reads the log: `azat@laptop`.
    pub(super) async fn who(&self) -> &str {
        let learn = async {
            let user = std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).unwrap_or_else(|_| "somebody".into());
            let named = tokio::process::Command::new("uname").arg("-n").output().await;
            let machine = named.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
            printable(&format!("{user}@{machine}"))
        };
        self.who.get_or_init(|| learn).await
    }
}

impl Lock {
    /// Writes of an action that no worker performs into the host's log: no answer is waited for, and where the line can't be written it
    /// is left out.
    pub fn log(&self, mark: Mark, what: &str) {
        // A keeper that is gone has barred the action already.
        let _ = self.log.send(super::log::text(&self.who, mark, what));
    }

    /// Gives it back; the worker lives on.
    pub async fn release(self) {
        // A keeper that is gone has nothing left to give back.
        if self.release.send(()).is_ok() {
            let _ = tokio::time::timeout(END, self.keeping).await;
        }
    }
}

/// Beats until it is told to stop, or the keeper is gone.
async fn keep(
    mut keeper: Keeper,
    mut group: watch::Receiver<u32>,
    mut lines: mpsc::UnboundedReceiver<String>,
    barred: Arc<AtomicBool>,
    mut released: oneshot::Receiver<()>,
) {
    let Keeper { stdin, stdout, .. } = &mut keeper;
    let mut beat = tokio::time::interval(BEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut rest = [0; 64];
    loop {
        let written = tokio::select! {
            // In this order: what was logged before the release is written.
            biased;
            _ = beat.tick() => stdin.write_all(b".").await,
            Ok(()) = group.changed() => {
                let now = *group.borrow_and_update();
                stdin.write_all(format!("p{now}\n").as_bytes()).await
            }
            Some(line) = lines.recv() => stdin.write_all(format!("l{}\n{line}", line.len()).as_bytes()).await,
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
