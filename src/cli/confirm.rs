//! Asking the user before anything is lost.

use std::io::{IsTerminal as _, Write as _};

use super::session::Session;
use crate::model::{Action, Exit, Failure, Plan, Sink, StepId};
use crate::report::{clean, progress};

/// What `--prune` attempts, in the words of an error.
pub const PRUNE: &str = "remove what left the inventory";

/// Somebody must be there to be asked.
///
/// # Errors
/// 64: nobody is.
pub fn attended(tried: &str, cure: &str) -> Result<(), Failure> {
    if std::io::stdin().is_terminal() && std::io::stderr().is_terminal() {
        return Ok(());
    }
    Err(Failure::new(tried, "it has to be asked for, and there is no terminal", cure).exiting(Exit::Usage))
}

/// Shows what would be removed and asks for it; with nothing to remove nothing is asked.
///
/// # Errors
/// The user says no, or the host can't be looked at.
pub async fn confirm(session: &Session, sink: &Sink) -> Result<(), Failure> {
    let verdicts = session.look(sink).await?;
    let planned = verdicts.into_iter().filter(|verdict| verdict.step == StepId::of("prune")).find_map(|verdict| verdict.planned.ok());
    let Some((Plan::Act(actions), reasons)) = planned.map(|planned| (planned.plan, planned.reasons)) else { return Ok(()) };
    reasons.iter().for_each(|reason| progress(&clean(reason)));
    confirmed(PRUNE, &actions, "leave --prune away; nothing was changed").await
}

/// Shows these actions and asks for them.
///
/// # Errors
/// The user says no.
pub async fn confirmed(tried: &str, actions: &[Action], cure: &str) -> Result<(), Failure> {
    if asked(tried, actions).await? { Ok(()) } else { Err(Failure::new(tried, "you did not say yes", cure)) }
}

async fn asked(tried: &str, actions: &[Action]) -> Result<bool, Failure> {
    let lines: String = actions.iter().map(|action| format!("  {action}\n")).collect();
    let question = clean(&format!("{lines}do that? [yes/no] "));
    let answer = tokio::task::spawn_blocking(move || {
        let mut answer = String::new();
        std::io::stderr().write_all(question.as_bytes())?;
        std::io::stdin().read_line(&mut answer).map(|_| answer)
    });
    match answer.await {
        Ok(Ok(answer)) => Ok(answer.trim() == "yes"),
        Ok(Err(error)) => Err(Failure::new(tried, error.to_string(), "say --yes")),
        Err(error) => Err(Failure::new(tried, error.to_string(), "say --yes")),
    }
}
