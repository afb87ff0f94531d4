//! Why a run ends early, in the words of its user.

use std::fmt;

use super::{Scope, StepId};

/// A failed attempt: where, what was tried, what was seen, and what cures it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Host, cluster or operator; none before any step began.
    pub scope: Option<Scope>,
    /// Which step.
    pub step: Option<StepId>,
    /// What was attempted, e.g. `connect to appuser@203.0.113.10:22`.
    pub tried: String,
    /// What came back: exit code and last lines.
    pub seen: String,
    /// What the user can do.
    pub cure: String,
    /// What kind of ending it is.
    pub exit: Exit,
}

/// Exit codes; the README lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Converged; all checks pass.
    Done = 0,
    /// Something failed, or a check does not pass.
    Failed = 1,
    /// `plan` found changes.
    Changes = 2,
    /// Some hosts failed; the report says which.
    Partly = 3,
    /// The command line is wrong.
    Usage = 64,
    /// The inventory is wrong; nothing was contacted.
    BadInventory = 65,
    /// No host could be reached.
    Unreachable = 69,
    /// Another run holds the lock.
    Locked = 75,
    /// Host key or sudo refused.
    Refused = 77,
    /// Interrupted; run again.
    Interrupted = 130,
}

impl Failure {
    /// An ordinary failure (exit 1) outside any step; the engine adds where it was.
    pub fn new(tried: impl Into<String>, seen: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { scope: None, step: None, tried: tried.into(), seen: seen.into(), cure: cure.into(), exit: Exit::Failed }
    }

    /// The same with another exit code.
    #[must_use]
    pub fn exiting(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// The same, said of a step.
    #[must_use]
    pub fn at(mut self, scope: Scope, step: StepId) -> Self {
        self.scope = Some(scope);
        self.step = Some(step);
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.scope {
            Some(Scope::Host(host)) => write!(f, "{host}: ")?,
            Some(Scope::Cluster) => f.write_str("cluster: ")?,
            Some(Scope::Operator) => f.write_str("operator: ")?,
            None => {}
        }
        if let Some(step) = &self.step {
            write!(f, "{step}: ")?;
        }
        write!(f, "could not {}: {}", self.tried, self.seen)?;
        if self.cure.is_empty() { Ok(()) } else { write!(f, "\n  cure: {}", self.cure) }
    }
}

impl std::error::Error for Failure {}
