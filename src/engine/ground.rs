//! What the engine stands on: the real world, or the fake host of the tests.

use async_trait::async_trait;

use crate::model::{Action, Answer, Failure, Question};

/// Answers questions and performs actions. The engine knows nothing else of the world.
#[async_trait]
pub trait Ground: Send + Sync {
    /// Asks all of them, side by side as far as they go. Never fails: what can't be looked at is `Answer::Unreadable`.
    ///
    /// # Errors
    /// Only when going on is pointless: the line is lost and can't be had again.
    async fn ask(&self, questions: Vec<Question>) -> Result<Vec<(Question, Answer)>, Failure>;

    /// Performs one action, reporting bytes as they go out through `sent(done, total)`.
    ///
    /// # Errors
    /// What was tried, what came back, and the cure.
    async fn perform(&self, action: &Action, sent: &(dyn Fn(u64, u64) + Send + Sync)) -> Result<(), Failure>;
}
