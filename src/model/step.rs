//! What a step is.

use super::{Missing, Planned, Question, Scope, StepId, View};

/// A kind of step. It is data and two pure functions: no I/O, no awaiting, so it can be tested without a host.
pub trait Step: Send + Sync {
    /// Its name, once per scope.
    fn id(&self) -> StepId;

    /// What it concerns.
    fn scope(&self) -> Scope;

    /// What it must know, given what is known already. Called until it asks nothing new, nine times at most (`engine::survey`).
    fn questions(&self, seen: &View<'_>) -> Vec<Question>;

    /// What must be done.
    ///
    /// # Errors
    /// The answer on which the step is blocked.
    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing>;
}
