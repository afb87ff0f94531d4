//! Parcels over several channels of one line. sshd lets no more than 2 MiB of a channel be on their way (openssh: channels.h), so that a
//! channel carries no more than that in a round trip, however much the line could.

use std::io;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use futures::future::{BoxFuture, try_join_all};
use tokio::sync::{Mutex, mpsc, watch};

use super::Remote;
use super::error::Error;
use super::line::Line;
use super::shell::Parcel;

/// What may be on its way in a channel.
const WINDOW: u64 = 2 << 20;
/// Channels beside the first. sshd grants ten to a line (sshd_config: MaxSessions), and the lock and others want some.
const BESIDE: usize = 4;
/// Bytes for which another channel is worth its opening, and its window, which is lost where the line is cut.
pub(super) const WORTH: u64 = 8 * WINDOW;
/// In which a line carries a window where delay is what limits it. On a slower one more windows would only fill with what waits, and hold
/// up the lock's heartbeats.
const FAST: Duration = Duration::from_secs(1);
/// The first look is at this part of one. No other is: after a pause of whoever sends or takes, a part may go at once.
const GLANCE: u32 = 4;

/// Parcels in their order, each as soon as it is packed.
pub(super) type Parcels = mpsc::Receiver<BoxFuture<'static, io::Result<Parcel>>>;

/// What is known of a line from the first channel, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Pace {
    /// Nothing.
    New,
    /// It got a window: the others are opened while it is judged.
    Busy,
    Fast,
    /// No parcels are left.
    Over,
}

/// How fast bytes go.
struct Meter {
    since: Instant,
    /// Bytes until it is judged again.
    left: u64,
    /// In which these go where it is fast; none: the first window goes at once, wherever to.
    limit: Option<Duration>,
}

impl Meter {
    fn new() -> Self {
        Self { since: Instant::now(), left: WINDOW, limit: None }
    }

    /// What that so many bytes more went into it tells of the line, if anything.
    fn pace(&mut self, bytes: u64) -> Option<Pace> {
        self.left = self.left.saturating_sub(bytes);
        if self.left > 0 {
            return None;
        }
        let (pace, part) = match self.limit {
            None => (Some(Pace::Busy), GLANCE),
            Some(limit) => ((self.since.elapsed() < limit).then_some(Pace::Fast), 1),
        };
        *self = Self { since: Instant::now(), left: WINDOW / u64::from(part), limit: Some(FAST / part) };
        pace
    }
}

impl Remote {
    /// Sends parcels as they come, none waiting for the answer to another; each must be answered with success within `limit` of its last
    /// byte. They stand for `size` bytes; `sent` is told how many more are out. `ahead` goes before them, to the worker that the lock's keeper
    /// knows. Returns how many bytes of the parcels went. A worker beside the first is unknown to the keeper: it may do nothing that harms
    /// when it comes late.
    pub(super) async fn stream(
        &self,
        ahead: Option<Parcel>,
        parcels: Parcels,
        size: u64,
        limit: Duration,
        sent: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<u64, Error> {
        self.unbarred()?;
        let mut slot = self.shell.lock().await;
        let mut shell = self.shell(&mut slot).await?;
        let parcels = Mutex::new(parcels);
        let (pace, _) = watch::channel(Pace::New);
        let meter = std::sync::Mutex::new(Meter::new());
        let first = async {
            let went = |bytes, stand_for| {
                if let Some(told) = meter.lock().unwrap_or_else(PoisonError::into_inner).pace(bytes) {
                    pace.send_replace(told);
                }
                sent(stand_for);
            };
            let bytes = shell.stream(ahead, &parcels, limit, &went).await?;
            pace.send_replace(Pace::Over);
            Ok(bytes)
        };
        let beside = match self.line {
            // What is on its way in each is lost where the line is cut.
            Line::Ssh(_) => usize::try_from(size / WORTH).unwrap_or(BESIDE).min(BESIDE),
            Line::Local => 0,
        };
        let others = (0..beside).map(|_| self.beside(&parcels, pace.subscribe(), limit, sent));
        let (bytes, others) = tokio::try_join!(first, try_join_all(others))?;
        *slot = Some(shell);
        Ok(bytes + others.iter().sum::<u64>())
    }

    /// Another channel, for parcels once the line is known to be fast. To open it takes round trips, so that begins before.
    async fn beside(
        &self,
        parcels: &Mutex<Parcels>,
        mut pace: watch::Receiver<Pace>,
        limit: Duration,
        sent: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<u64, Error> {
        let mut over = pace.clone();
        let opened = async {
            pace.wait_for(|pace| *pace >= Pace::Busy).await.ok()?;
            // Where sshd grants no more, there are fewer; a line that broke shows in the first.
            let shell = self.root.shell(&self.line).await.ok()?;
            pace.wait_for(|pace| *pace >= Pace::Fast).await.ok()?;
            Some(shell)
        };
        let opened = tokio::select! {
            opened = opened => opened,
            _ = over.wait_for(|pace| *pace == Pace::Over) => None,
        };
        match opened {
            Some(mut shell) => shell.stream(None, parcels, limit, &|_, stand_for| sent(stand_for)).await,
            None => Ok(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_judged_behind_its_first_window() {
        let glance = WINDOW / u64::from(GLANCE);
        let mut meter = Meter::new();
        assert_eq!((meter.pace(WINDOW - 1), meter.pace(1)), (None, Some(Pace::Busy)));
        assert_eq!((meter.pace(glance - 1), meter.pace(1)), (None, Some(Pace::Fast)));
    }

    #[test]
    fn what_goes_at_once_after_a_pause_makes_no_line_fast() {
        let mut meter = Meter::new();
        meter.pace(WINDOW);
        meter.since -= FAST / GLANCE;
        assert_eq!(meter.pace(WINDOW / u64::from(GLANCE)), None, "it took as long as that");
        assert_eq!(meter.pace(WINDOW - 1), None, "less than a window tells nothing any more");
        meter.since -= FAST;
        assert_eq!(meter.pace(1), None, "it took as long as that");
        assert_eq!(meter.pace(WINDOW), Some(Pace::Fast));
    }
}
