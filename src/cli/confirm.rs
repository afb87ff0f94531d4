//! Asking the user before anything is lost.

use std::io::{IsTerminal as _, Write as _};

use super::session::Session;
use crate::model::{Action, Exit, Failure, Plan, Sink, StepId};
use crate::remote::answered;
use crate::report::{clean, progress};
use crate::steps::bounded;

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

/// Shows what would be removed and asks for it; with nothing to remove nothing is asked. The session's steps remove that and nothing else.
///
/// # Errors
/// The user says no, the host can't be looked at, or it can't be told yet what would be removed.
pub async fn confirm(session: &mut Session, sink: &Sink) -> Result<(), Failure> {
    let verdicts = session.look(sink).await?;
    let mut shown = Vec::new();
    for verdict in verdicts.into_iter().filter(|verdict| verdict.step == StepId::of("prune")) {
        let planned = verdict.planned.map_err(|missing| {
            Failure::new(PRUNE, missing.to_string(), "bootstrap without --prune first, then again with it; nothing was changed")
        })?;
        if let Plan::Act(actions) = planned.plan {
            planned.reasons.iter().for_each(|reason| progress(&clean(reason)));
            confirmed(PRUNE, &actions, "leave --prune away; nothing was changed").await?;
            shown = actions;
        }
    }
    session.steps = std::mem::take(&mut session.steps).into_iter().map(|step| bounded(step, &shown)).collect();
    Ok(())
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
    let answer = answered(move || {
        let mut answer = String::new();
        std::io::stderr().write_all(question.as_bytes())?;
        std::io::stdin().read_line(&mut answer).map(|_| answer)
    });
    let failed = |error: std::io::Error| Failure::new(tried, error.to_string(), "run it again, or say --yes; nothing was changed");
    answer.await.map(|answer| answer.trim() == "yes").map_err(failed)
}
