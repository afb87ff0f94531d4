//! Ways to be interrupted.

use std::fmt;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::cases::Side;
use crate::bench::Bench;
use crate::e2e::flow::ended;
use crate::e2e::line::Slow;
use crate::relay::{self, Relay};

/// A run that goes on by itself, on a busy machine.
const RESUMED: Duration = Duration::from_secs(300);
/// A silent line is noticed within 20 s; the run tries once more, through the same silence.
const NOTICED: Duration = Duration::from_secs(60);
/// The same for a host that is gone, or boots meanwhile and is found anew.
const REBOOTED: Duration = Duration::from_secs(300);

/// What befalls a run in the middle of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `kill -9` of the tool.
    Kill,
    /// Both ends of its line are reset.
    Cut,
    /// Nothing gets through any more, and nobody is told.
    Silence,
    /// The host loses power, and boots.
    Reboot,
}

impl Fault {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Kill, Self::Cut, Self::Silence, Self::Reboot];

    /// The one of that name.
    pub fn named(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|fault| fault.to_string() == name).ok_or_else(|| "kill, cut, silent or reboot".to_owned())
    }

    /// Lets it happen, and waits for the end of the run.
    pub fn strike(self, bench: &Bench<'_>, side: Side, relay: &Relay, run: &mut Slow) -> Result<()> {
        match self {
            Self::Kill => run.shoot(),
            Self::Cut => {
                relay.strike(relay::Fault::Cut);
                ended(&run.ends(RESUMED)?, 0)
            }
            Self::Silence => {
                relay.strike(relay::Fault::Silence);
                let run = run.ends(NOTICED)?;
                match side {
                    Side::Operator if ended(&run, 0).is_ok() => Ok(()),
                    Side::Host | Side::Operator => ended(&run, 69),
                }
            }
            Self::Reboot => {
                bench.host.kill()?;
                bench.host.answers(&bench.host.boot(&bench.rig.operator)?)?;
                // What it can do depends on how far the host has come when it tries once more.
                let run = run.ends(REBOOTED)?;
                let code = run.status.and_then(|status| status.code());
                ensure!(matches!(code, Some(0 | 1 | 69)), "the host was rebooted, and the run ended with {code:?}\n{}", run.stderr);
                Ok(())
            }
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Kill => "kill",
            Self::Cut => "cut",
            Self::Silence => "silent",
            Self::Reboot => "reboot",
        })
    }
}
