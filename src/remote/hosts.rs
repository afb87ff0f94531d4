//! The hosts of a run, each with its session and its lock.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::Mutex;

use super::log::Mark;
use super::perform::Shared;
use super::{Lock, Prompt, Remote};
use crate::inventory::Host;
use crate::model::{Failure, HostId};

/// For the keeper of a run that is gone to free its lock: it does so 30 s after the last sign of life at the latest.
const FREED: Duration = Duration::from_secs(45);

/// All hosts of an inventory.
pub struct Hosts {
    prompt: Prompt,
    /// Whose lock decides which run goes on.
    server: HostId,
    seats: BTreeMap<HostId, Seat>,
}

/// A host, or why it can't be reached (any more).
type Reached = Result<Arc<Remote>, Failure>;

struct Seat {
    host: Host,
    /// With the others, if there are any.
    shared: Option<Arc<Shared>>,
    /// None until it is first wanted.
    reached: Mutex<Option<Reached>>,
    lock: Mutex<Option<Lock>>,
}

impl Hosts {
    /// None is connected to before it is wanted: who is slow or dead then holds up nobody else.
    #[must_use]
    pub fn new(hosts: Vec<Host>, server: HostId, prompt: Prompt) -> Self {
        let shared = (hosts.len() > 1).then(Arc::default);
        let seat = |host: Host| {
            (HostId(host.name.clone()), Seat { host, shared: shared.clone(), reached: Mutex::default(), lock: Mutex::default() })
        };
        Self { prompt, server, seats: hosts.into_iter().map(seat).collect() }
    }

    /// The first server.
    #[must_use]
    pub fn server(&self) -> &HostId {
        &self.server
    }

    /// A host's session, opened when it is first wanted.
    ///
    /// # Errors
    /// Why there is none (any more).
    pub async fn remote(&self, host: &HostId) -> Result<Arc<Remote>, Failure> {
        self.seat(host)?.reached(&self.prompt).await
    }

    /// Connects to all hosts at once if somebody is at the terminal: what they are asked there must stand before any line of progress.
    /// Who can't be reached says so when it is wanted.
    pub async fn meet(&self) {
        if self.prompt.attended() {
            join_all(self.seats.values().map(|seat| seat.reached(&self.prompt))).await;
        }
    }

    /// Takes the locks on all hosts that can be reached. An agent whose lock is held, say by a run that was killed a moment ago, is waited
    /// for and then given up.
    ///
    /// # Errors
    /// Another run holds the first server's lock (75), or the server can't be reached.
    pub async fn lock(&self) -> Result<(), Failure> {
        // Whatever is asked about a host is asked before another one's lock is held.
        self.meet().await;
        let locked = self.seats.iter().map(async |(host, seat)| {
            let patience = if *host == self.server { Duration::ZERO } else { FREED };
            let taken = match seat.reached(&self.prompt).await {
                Ok(remote) => remote.lock(patience).await,
                Err(failure) => Err(failure),
            };
            match taken {
                Ok(lock) => *seat.lock.lock().await = Some(lock),
                Err(failure) if *host == self.server => return Err(failure),
                Err(failure) => seat.seat(Err(failure)).await,
            }
            Ok(())
        });
        futures::future::try_join_all(locked).await.map(drop)
    }

    /// Gives all locks back.
    pub async fn release(&self) {
        let released = self.seats.values().map(async |seat| {
            let Some(lock) = seat.lock.lock().await.take() else { return };
            // A worker that is still in the middle of something is ended by the keeper, which sees its input end.
            if seat.reached(&self.prompt).await.is_ok_and(|remote| remote.idle()) {
                lock.release().await;
            }
        });
        join_all(released).await;
    }

    /// Writes of an action that no worker performs into the server's log, if we hold its lock.
    pub async fn log(&self, mark: Mark, what: &str) {
        if let Ok(seat) = self.seat(&self.server)
            && let Some(lock) = seat.lock.lock().await.as_ref()
        {
            lock.log(mark, what);
        }
    }

    /// Reaches a host anew after its line broke, without asking for a password again. Where we held its lock we hold it again: the
    /// former keeper has ended the former worker by then.
    ///
    /// # Errors
    /// It can't be reached, or its lock is not free in time. From then on that is what [`Hosts::remote`] says.
    pub async fn resume(&self, host: &HostId) -> Result<(), Failure> {
        let seat = self.seat(host)?;
        seat.reached(&self.prompt).await?;
        let mut held = seat.lock.lock().await;
        let again = async {
            let remote = seat.connect(&self.prompt).await?;
            let lock = match held.take() {
                Some(_lost) => Some(remote.lock(FREED).await?),
                None => None,
            };
            Ok((remote, lock))
        };
        match again.await {
            Ok((remote, lock)) => {
                *held = lock;
                seat.seat(Ok(Arc::new(remote))).await;
                Ok(())
            }
            Err(failure) => {
                let failure: Failure = failure;
                seat.seat(Err(failure.clone())).await;
                Err(failure)
            }
        }
    }

    fn seat(&self, host: &HostId) -> Result<&Seat, Failure> {
        let unknown = || Failure::new(format!("reach {host}"), "it isn't in the inventory", "report this as a bug of bedplate");
        self.seats.get(host).ok_or_else(unknown)
    }
}

impl Seat {
    async fn reached(&self, prompt: &Prompt) -> Reached {
        let mut reached = self.reached.lock().await;
        if let Some(reached) = reached.as_ref() {
            return reached.clone();
        }
        let now = self.connect(prompt).await.map(Arc::new);
        reached.insert(now).clone()
    }

    async fn connect(&self, prompt: &Prompt) -> Result<Remote, Failure> {
        Remote::connect(&self.host, prompt).await.map(|remote| remote.sharing(self.shared.clone()))
    }

    async fn seat(&self, reached: Reached) {
        *self.reached.lock().await = Some(reached);
    }
}
