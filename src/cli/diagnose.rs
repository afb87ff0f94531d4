//! `bedplate diagnose`: why a certificate does not come.

use super::Target;
use super::session::Session;
use crate::engine::Verdict;
use crate::model::{Event, Exit, Failure, Finding, Plan, Sink};
use crate::report::{self, Form};

/// Looks and prints. Exit 0: no certificate is stuck; 1: one is, or it can't be told.
///
/// # Errors
/// The inventory is wrong, or the host can't be looked at.
pub async fn run(target: &Target, form: Form, sink: &Sink) -> Result<Exit, Failure> {
    let verdicts = Session::to_diagnose(target)?.look(sink).await?;
    sink(Event::Done);
    match form {
        Form::Json => report::json_verdicts(&verdicts),
        Form::Text => report::result(&report::diagnosis(&verdicts)),
    }
    Ok(if verdicts.iter().all(Verdict::converged) { Exit::Done } else { Exit::Failed })
}

/// The failure of a run; that a certificate did not come in time is told with its cause. Where nothing is found it stays as it was.
pub async fn explained(failure: Failure, session: &Session, sink: &Sink) -> Failure {
    let Some(step) = failure.step.as_ref().filter(|step| step.is_called("certificate")) else { return failure };
    let domain = step.to_string().replacen("certificate/", "diagnose/", 1);
    let Ok(verdicts) = session.look_at(&session.diagnosis, sink).await else { return failure };
    let of_site = verdicts.into_iter().filter(|verdict| verdict.step.to_string() == domain).find_map(|verdict| verdict.planned.ok());
    match of_site.map(|planned| planned.plan) {
        Some(Plan::Unmet(findings)) => with(failure, &findings),
        _ => failure,
    }
}

/// One cause takes the place of the cure; of several each stands beside its own.
fn with(failure: Failure, findings: &[Finding]) -> Failure {
    match findings {
        [finding] => Failure { seen: finding.what.clone(), cure: finding.cure.clone(), ..failure },
        several => {
            let lines = several.iter().map(|Finding { what, cure }| format!("\n- {what}\n  cure: {cure}"));
            Failure { seen: lines.collect(), cure: String::new(), ..failure }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_with_every_cause_and_its_cure() {
        let failure = || Failure::new("see within 150 s that it is served", "pending", "look").exiting(Exit::Failed);
        let one = with(failure(), &[Finding::new("the challenge hangs\n  because 502", "open it")]);
        assert_eq!(one.to_string(), "could not see within 150 s that it is served: the challenge hangs\n  because 502\n  cure: open it");
        let two = with(failure(), &[Finding::new("a", "b"), Finding::new("c", "d")]);
        assert_eq!(two.to_string(), "could not see within 150 s that it is served: \n- a\n  cure: b\n- c\n  cure: d");
    }
}
