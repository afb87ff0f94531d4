//! One lane's way: what it has done, what it waits for, and what comes next.

use std::time::Duration;

use super::Verdict;
use super::patience::{Patience, coming_up};
use crate::model::{Action, Condition, Event, Failure, Finding, Missing, Plan, Planned, Sink};

/// What a lane has been through.
#[derive(Default)]
pub struct Course {
    /// How long it has waited, and for what.
    pub patience: Patience,
    /// What each step did, by its place, in order.
    done: Vec<(usize, Vec<Action>)>,
}

/// What a lane does next.
pub enum Next {
    /// These, in their order.
    Act(Vec<Action>),
    /// Look again in a moment.
    Wait,
}

impl Verdict {
    /// Why nothing that we do brings it further: a finding, or an answer that it lacks. None: it converged, acts or waits.
    #[must_use]
    pub fn hindered(&self) -> Option<Failure> {
        match &self.planned {
            Err(missing) => Some(blocked(self, missing)),
            Ok(Planned { plan: Plan::Unmet(findings), .. }) => Some(unmet(self, findings)),
            Ok(_) => None,
        }
    }
}

impl Course {
    /// What the step at this place wants. `changed`: whether this run has performed anything.
    ///
    /// # Errors
    /// What can't be mended: a finding, an answer that will not come, a wait that ran out, the same wish right after it was fulfilled.
    pub fn next(&mut self, place: usize, verdict: &Verdict, changed: bool, sink: &Sink) -> Result<Next, Failure> {
        let planned = match &verdict.planned {
            Ok(planned) => planned.clone(),
            Err(missing) => match coming_up(missing).filter(|_| changed || self.patience.tried()) {
                Some(condition) => Plan::Wait(condition).into(),
                None => return Err(blocked(verdict, missing)),
            },
        };
        match planned.plan {
            // The next look knows what comes.
            Plan::Converged => Ok(Next::Wait),
            Plan::Act(ref actions) if self.drifts_still(place, actions) => Err(still_drifting(verdict, &planned)),
            Plan::Act(ref actions) => {
                let actions = actions.clone();
                sink(Event::Planned { scope: verdict.scope.clone(), step: verdict.step.clone(), planned });
                Ok(Next::Act(actions))
            }
            Plan::Wait(condition) => {
                let waited = self.patience.wait(place, &condition);
                look_again(verdict, condition, waited, sink).map(|()| Next::Wait)
            }
            Plan::Unmet(findings) => Err(unmet(verdict, &findings)),
        }
    }

    /// The step at this place has done this.
    pub fn done(&mut self, place: usize, actions: Vec<Action>) {
        self.done.push((place, actions));
        self.patience.renew();
    }

    /// The same plan twice in a row, or a third time at all: two steps that undo each other end too.
    fn drifts_still(&self, place: usize, actions: &[Action]) -> bool {
        let same = |(before, acted): &&(usize, Vec<Action>)| *before == place && acted == actions;
        self.done.last().is_some_and(|last| same(&last)) || self.done.iter().filter(same).count() >= 2
    }
}

/// Says what is waited for, or that it took too long.
fn look_again(verdict: &Verdict, condition: Condition, waited: Duration, sink: &Sink) -> Result<(), Failure> {
    if waited >= condition.within {
        let tried = format!("see within {} s that {}", condition.within.as_secs(), condition.what);
        return Err(failure(verdict, &tried, &condition.seen, &condition.cure));
    }
    sink(Event::Waiting { scope: verdict.scope.clone(), step: verdict.step.clone(), condition, waited });
    Ok(())
}

fn failure(verdict: &Verdict, tried: &str, seen: &str, cure: &str) -> Failure {
    Failure::new(tried, seen, cure).at(verdict.scope.clone(), verdict.step.clone())
}

fn blocked(verdict: &Verdict, missing: &Missing) -> Failure {
    failure(verdict, &format!("look at {}", missing.question), &missing.to_string(), missing.cure())
}

/// Each finding beside its own cure.
fn unmet(verdict: &Verdict, findings: &[Finding]) -> Failure {
    match findings {
        [finding] => failure(verdict, "go on", &finding.what, &finding.cure),
        several => {
            let lines = several.iter().map(|Finding { what, cure }| format!("\n  - {what}\n    cure: {cure}"));
            failure(verdict, "go on", &lines.collect::<String>(), "")
        }
    }
}

fn still_drifting(verdict: &Verdict, planned: &Planned) -> Failure {
    let seen = format!("it wants the same again right after it was done: {}", planned.reasons.join("; "));
    failure(verdict, "converge", &seen, "something else changes it back; stop that, or report this as a bug of bedplate")
}
