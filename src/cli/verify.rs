//! `bedplate verify`: the checks plus an empty plan.

use super::Look;
use super::session::Session;
use crate::engine::Verdict;
use crate::model::{Exit, Failure, Sink};
use crate::report::{self, Form, Passed};

/// Looks and prints. Exit 0: every step is converged; 1: one is not.
///
/// # Errors
/// The inventory is wrong, or the host can't be looked at.
pub async fn run(look: &Look, form: Form, sink: &Sink) -> Result<Exit, Failure> {
    let verdicts = Session::open(&look.target, &look.only)?.look(sink).await?;
    match form {
        Form::Json => report::json_verdicts(&verdicts),
        Form::Text => report::result(&report::findings(&verdicts, Passed::Listed)),
    }
    Ok(if verdicts.iter().all(Verdict::converged) { Exit::Done } else { Exit::Failed })
}
