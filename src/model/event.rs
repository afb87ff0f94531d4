//! What happens, for whoever shows it.

use std::sync::Arc;
use std::time::Duration;

use super::{Condition, Failure, HostId, Note, Planned, Scope, StepId};

/// One thing that happened. `report` alone decides how it looks.
#[derive(Clone, Debug)]
pub enum Event {
    /// Questions of a round go out.
    Asking {
        /// Open questions.
        questions: usize,
    },
    /// A host's part of a round is answered.
    Answered {
        /// Who answered.
        host: HostId,
        /// How many questions.
        questions: usize,
    },
    /// A step acts: what it will do, and why.
    Planned {
        /// What it concerns.
        scope: Scope,
        /// Which step.
        step: StepId,
        /// The verdict.
        planned: Planned,
    },
    /// An action begins.
    Acting {
        /// What it concerns.
        scope: Scope,
        /// Which step.
        step: StepId,
        /// `Action`'s text.
        what: String,
    },
    /// Bytes of the running action that went out, of how many.
    Sent {
        /// What it concerns.
        scope: Scope,
        /// Which step.
        step: StepId,
        /// So far.
        done: u64,
        /// In all.
        total: u64,
    },
    /// The action is done.
    Acted {
        /// What it concerns.
        scope: Scope,
        /// Which step.
        step: StepId,
        /// `Action`'s text.
        what: String,
        /// How long it took.
        took: Duration,
        /// What there is to say of how it went.
        said: Option<String>,
    },
    /// A step waits, and what it sees.
    Waiting {
        /// What it concerns.
        scope: Scope,
        /// Which step.
        step: StepId,
        /// For what.
        condition: Condition,
        /// Since when.
        waited: Duration,
    },
    /// A step has something to be read that it had not said before.
    Noted {
        /// What it concerns.
        scope: Scope,
        /// Which step.
        step: StepId,
        /// What it says.
        note: Note,
    },
    /// A host's line broke; it is reached anew.
    Resuming(Arc<Failure>),
    /// A host failed; the run goes on without it.
    SetAside(Arc<Failure>),
    /// Something failed; the run ends.
    Failed(Arc<Failure>),
    /// A look is over, and the run goes on once somebody was asked: nothing is drawn until the next event.
    Looked,
    /// The run ended well.
    Done,
}

/// Where events go.
pub type Sink = Arc<dyn Fn(Event) + Send + Sync>;
