//! `bedplate verify`: the checks plus an empty plan.

use super::Target;
use super::session::Session;
use crate::engine::{Verdict, survey};
use crate::model::{Event, Exit, Failure, Sink, World};
use crate::report::{self, Form};

/// Looks and prints. Exit 0: every step is converged; 1: one is not.
///
/// # Errors
/// The inventory is wrong, or the host can't be looked at.
pub async fn run(target: &Target, form: Form, sink: &Sink) -> Result<Exit, Failure> {
    let session = Session::open(target).await?;
    let survey = survey(&session.live, &session.steps, &session.server, &mut World::default(), sink).await?;
    sink(Event::Done);
    match form {
        Form::Json => report::json_verdicts(&survey.verdicts),
        Form::Text => print!("{}", report::findings(&survey.verdicts)),
    }
    Ok(if survey.verdicts.iter().all(Verdict::converged) { Exit::Done } else { Exit::Failed })
}
