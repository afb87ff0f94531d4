//! `bedplate plan`: what would change, and why.

use clap::Args;

use super::Look;
use super::allowed::Allowed;
use super::session::Session;
use crate::engine::Verdict;
use crate::model::{Event, Exit, Failure, Sink};
use crate::report::{self, Form};

/// What to look at.
#[derive(Args)]
pub struct Plan {
    #[command(flatten)]
    look: Look,
    #[command(flatten)]
    allowed: Allowed,
}

impl Plan {
    /// Looks and prints. Exit 0: nothing would change; 2: something would; 1: something is unmet that bedplate can't change;
    /// 3: a host can't be looked at.
    ///
    /// # Errors
    /// The inventory is wrong, or the host can't be looked at.
    pub async fn run(&self, form: Form, sink: &Sink) -> Result<Exit, Failure> {
        let verdicts = Session::open(&self.allowed.on(&self.look.target), &self.look.only)?.look(sink).await?;
        sink(Event::Done);
        match form {
            Form::Json => report::json_verdicts(&verdicts),
            Form::Text => report::result(&report::plan(&verdicts)),
        }
        Ok(exit(&verdicts))
    }
}

fn exit(verdicts: &[Verdict]) -> Exit {
    if verdicts.iter().any(Verdict::unmet) {
        Exit::Failed
    } else if verdicts.iter().any(|verdict| verdict.lost().is_some()) {
        Exit::Partly
    } else if verdicts.iter().all(Verdict::converged) {
        Exit::Done
    } else {
        Exit::Changes
    }
}
