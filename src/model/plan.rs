//! What a step wants done, once it has seen its answers.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{Action, ApiQuestion, Failure, OperatorQuestion, Question};

/// A step's verdict.
#[derive(Clone, Debug, PartialEq)]
pub enum Plan {
    /// As it must be.
    Converged,
    /// To be done, in this order.
    Act(Vec<Action>),
    /// Nothing to do but to look again.
    Wait(Condition),
    /// Not as it must be, and not ours to change.
    Unmet(Vec<Finding>),
}

/// A verdict with what the user should read beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// The verdict.
    pub plan: Plan,
    /// Warnings and manual work; they change no exit code.
    pub notes: Vec<Note>,
    /// Why it acts, one line each: what was seen against what must be. May hold a diff; never a secret.
    pub reasons: Vec<String>,
}

impl From<Plan> for Planned {
    fn from(plan: Plan) -> Self {
        Self { plan, notes: Vec::new(), reasons: Vec::new() }
    }
}

impl Planned {
    /// `Converged` if there is nothing to do.
    #[must_use]
    pub fn act(actions: Vec<Action>, reasons: Vec<String>) -> Self {
        let plan = if actions.is_empty() { Plan::Converged } else { Plan::Act(actions) };
        Self { plan, notes: Vec::new(), reasons }
    }

    /// The same with these notes.
    #[must_use]
    pub fn with_notes(mut self, notes: Vec<Note>) -> Self {
        self.notes.extend(notes);
        self
    }
}

/// What is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// What must become true, e.g. `node droplet is Ready`.
    pub what: String,
    /// What is seen now, e.g. `Ready=False: cni plugin not initialized`.
    pub seen: String,
    /// What to do if it never comes.
    pub cure: String,
    /// How long to wait, counted from when this step began to wait.
    pub within: Duration,
}

/// Something that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was expected and what was seen.
    pub what: String,
    /// What the user can do.
    pub cure: String,
}

impl Finding {
    /// A finding.
    pub fn new(what: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { what: what.into(), cure: cure.into() }
    }
}

/// Something that the user should read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// May bite later.
    Warning(Finding),
    /// Work that only the user can do.
    Manual(String),
    /// A fact worth a line, e.g. a version.
    Fact(String),
}

/// An answer that a step needs and that is not there: the step is blocked on it.
#[derive(Clone, Debug, PartialEq)]
pub struct Missing {
    /// Which.
    pub question: Question,
    /// Why.
    pub why: Why,
}

/// Why an answer is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// Nobody asked yet.
    NotAsked,
    /// It could not be looked at.
    Unreadable(String),
    /// Its host can't be reached, or was set aside after it failed.
    Lost(Arc<Failure>),
}

impl Missing {
    /// What the user can do.
    #[must_use]
    pub fn cure(&self) -> &str {
        match (&self.why, &self.question) {
            (Why::Lost(failure), _) => &failure.cure,
            (Why::NotAsked, _) => "report this as a bug of bedplate",
            (_, Question::Host(..) | Question::HelmDryRun(..) | Question::Hairpin(..)) => "see on the host why, then run again",
            (_, Question::Api(ApiQuestion::DryRun(_))) => {
                "mend what the API server refuses; if it did not answer, see that k3s runs on the server (`systemctl status k3s`); then run again"
            }
            (_, Question::Api(ApiQuestion::Release { .. })) => {
                "`bedplate bootstrap` releases what is absent; if the API server did not answer, see that k3s runs (`systemctl status k3s`)"
            }
            (_, Question::Api(_)) => "see that k3s runs on the server (`systemctl status k3s`), then run again",
            (_, Question::Outside(_)) => "see that this machine reaches the outside, then run again",
            (_, Question::Operator(OperatorQuestion::Pin(_))) => {
                "mend bedplate.lock where it can't be read; `bedplate bootstrap` pins what it lacks"
            }
            (_, Question::Operator(_)) => "mend it on this machine, then run again",
        }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.why {
            Why::NotAsked => write!(f, "nobody asked: {:?}", self.question),
            Why::Unreadable(reason) => f.write_str(reason),
            Why::Lost(failure) => write!(f, "could not {}: {}", failure.tried, failure.seen),
        }
    }
}
