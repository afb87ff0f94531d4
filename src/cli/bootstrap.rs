//! `bedplate bootstrap`: converge, then verify.

use clap::Args;

use super::allowed::Allowed;
use super::confirm::{PRUNE, attended, confirm};
use super::diagnose::explained;
use super::session::{Session, load};
use super::{Target, typed};
use crate::engine::converge;
use crate::model::{Event, Exit, Failure, Sink};
use crate::report::{self, Form, Passed};
use crate::steps::flow;

/// What to converge.
#[derive(Args)]
pub struct Bootstrap {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    allowed: Allowed,
    /// Do not ask before --prune removes something
    #[arg(long, requires = "prune")]
    yes: bool,
    /// Ask for a new value of a key in `prompt` of [[secrets]]; may be repeated
    #[arg(long, value_name = "KEY")]
    ask: Vec<String>,
}

impl Bootstrap {
    /// Converges under the lock. The last look, which found nothing to do, is the verification.
    ///
    /// # Errors
    /// The first thing that bedplate could not mend.
    pub async fn run(&self, form: Form, sink: &Sink) -> Result<Exit, Failure> {
        let asks = self.allowed.prune && !self.yes;
        if asks {
            attended(PRUNE, "see with `bedplate plan --prune` what it is, then say `--prune --yes`; nothing was contacted")?;
        }
        let target = self.allowed.on(&self.target);
        let mut inventory = load(&target)?;
        typed::checked(&inventory, &self.ask)?;
        let mut session = Session::with(&target, &inventory, flow(&inventory))?;
        session.build().await?;
        session.live.lock().await?;
        typed::fill(&mut inventory, &self.ask, &session).await?;
        session.steps = flow(&inventory);
        if asks {
            confirm(&mut session, sink).await?;
        }
        converged(&session, form, sink).await
    }
}

/// Converges a session that holds the lock, and tells what was done.
///
/// # Errors
/// The first thing that bedplate could not mend.
pub async fn converged(session: &Session, form: Form, sink: &Sink) -> Result<Exit, Failure> {
    let outcome = match converge(&session.live, &session.steps, &session.server, sink).await {
        Ok(outcome) => outcome,
        Err(failure) => return Err(explained(failure, session, sink).await),
    };
    session.live.release().await;
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
