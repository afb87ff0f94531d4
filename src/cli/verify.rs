//! `bedplate verify`: the checks plus an empty plan.

use clap::Args;

use super::Look;
use super::session::Session;
use crate::engine::{Verdict, converge};
use crate::model::{Event, Exit, Failure, Sink};
use crate::report::{self, Form, Passed};

/// What to check.
#[derive(Args)]
pub struct Verify {
    #[command(flatten)]
    look: Look,
    /// Also try whether a challenge of every name would succeed: creates a Job, a Service and an Ingress for each for a moment, under the lock;
    /// orders nothing
    #[arg(long)]
    probe: bool,
}

impl Verify {
    /// Looks and prints. Exit 0: every step is converged; 3: those that could look are, others could not; 1: one is not.
    ///
    /// # Errors
    /// The inventory is wrong, or the host can't be looked at; with `--probe` a challenge would not be found, or another run holds the lock.
    pub async fn run(&self, form: Form, sink: &Sink) -> Result<Exit, Failure> {
        let session = Session::open(&self.look.target, &self.look.only)?;
        if self.probe && session.probe.iter().all(Vec::is_empty) {
            let cure = "leave --probe away: it is for sites with tls = \"acme\"";
            return Err(Failure::new("try the way of challenges", "no site has a certificate by ACME", cure).exiting(Exit::Usage));
        }
        let tried = if self.probe { probed(&session, sink).await } else { Ok(Vec::new()) };
        let mut verdicts = session.look(sink).await?;
        sink(Event::Done);
        verdicts.extend_from_slice(tried.as_deref().unwrap_or_default());
        match form {
            Form::Json => report::json_verdicts(&verdicts),
            Form::Text => report::result(&report::findings(&verdicts, Passed::Listed)),
        }
        tried?;
        Ok(exit(&verdicts))
    }
}

fn exit(verdicts: &[Verdict]) -> Exit {
    if verdicts.iter().all(Verdict::converged) {
        Exit::Done
    } else if verdicts.iter().all(|verdict| verdict.converged() || verdict.lost().is_some()) {
        Exit::Partly
    } else {
        Exit::Failed
    }
}

/// What the probe found, after all that it put up was taken away: the one thing that a check does, and nothing else that the steps want.
///
/// # Errors
/// Another run holds the lock, or a challenge would not be found.
async fn probed(session: &Session, sink: &Sink) -> Result<Vec<Verdict>, Failure> {
    let [tries, over] = &session.probe;
    session.live.lock().await?;
    let seen = converge(&session.live, tries, &session.server, sink).await;
    // Whatever was found, it goes.
    let gone = converge(&session.live, over, &session.server, sink).await;
    session.live.release().await;
    let seen = seen?;
    gone?;
    Ok(seen.survey.verdicts)
}
