//! What the engine stands on: the real world, or the fake host of the tests.

use async_trait::async_trait;

use crate::model::{Action, Answer, Failure, HostId, Question};

/// Answers questions and performs actions. The engine knows nothing else of the world.
#[async_trait]
pub trait Ground: Send + Sync {
    /// Asks all of them, side by side as far as they go. Never fails: what can't be looked at is `Answer::Unreadable`, and a host that
    /// can't be reached is `Answer::Lost`.
    async fn ask(&self, questions: Vec<Question>) -> Vec<(Question, Answer)>;

    /// Performs one action, reporting bytes as they go out through `sent(done, total)`. Returns what there is to say of how it went.
    ///
    /// # Errors
    /// What was tried, what came back, and the cure.
    async fn perform(&self, action: &Action, sent: &(dyn Fn(u64, u64) + Send + Sync)) -> Result<Option<String>, Failure>;

    /// Reaches a host anew after its line broke (exit 69), and the lock with it if we held it: what ran there has ended by then.
    ///
    /// # Errors
    /// It can't be reached.
    async fn resume(&self, host: &HostId) -> Result<(), Failure>;
}
