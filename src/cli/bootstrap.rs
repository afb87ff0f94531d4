//! `bedplate bootstrap`: converge, then verify.

use super::{Only, Target};
use super::session::Session;
use crate::engine::converge;
use crate::model::{Event, Exit, Failure, Sink};
use crate::report::{self, Form, Passed};

/// Converges under the lock. The last look, which found nothing to do, is the verification.
///
/// # Errors
/// The first thing that bedplate could not mend.
pub async fn run(target: &Target, form: Form, sink: &Sink) -> Result<Exit, Failure> {
    let session = Session::open(target, &Only::default()).await?;
    let lock = session.live.lock().await?;
    let outcome = converge(&session.live, &session.steps, &session.server, sink).await?;
    lock.release().await;
    sink(Event::Done);
    match form {
        Form::Json => report::json_verdicts(&outcome.survey.verdicts),
        Form::Text => {
            report::result(&report::findings(&outcome.survey.verdicts, Passed::Counted));
            report::result(&match outcome.performed {
                0 => "nothing was changed, nothing was restarted\n".to_owned(),
                1 => "1 action was performed\n".to_owned(),
                some => format!("{some} actions were performed\n"),
            });
        }
    }
    Ok(if outcome.lost.is_empty() { Exit::Done } else { Exit::Partly })
}
