//! `bedplate bootstrap`: converge, then verify.

use super::Target;
use super::session::Session;
use crate::engine::converge;
use crate::model::{Event, Exit, Failure, Sink};
use crate::report::{self, Form};

/// Converges under the lock. The last look, which found nothing to do, is the verification.
///
/// # Errors
/// The first thing that bedplate could not mend.
pub async fn run(target: &Target, form: Form, sink: &Sink) -> Result<Exit, Failure> {
    let session = Session::open(target).await?;
    let lock = session.live.lock().await?;
    let (survey, performed) = converge(&session.live, &session.steps, &session.server, sink).await?;
    lock.release().await;
    sink(Event::Done);
    match form {
        Form::Json => report::json_verdicts(&survey.verdicts),
        Form::Text => {
            print!("{}", report::findings(&survey.verdicts));
            match performed {
                0 => println!("nothing was changed, nothing was restarted"),
                1 => println!("1 action was performed"),
                some => println!("{some} actions were performed"),
            }
        }
    }
    Ok(Exit::Done)
}
