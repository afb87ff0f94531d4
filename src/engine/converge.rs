//! The loop that changes the world.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::patience::{Patience, coming_up};
use super::{Ground, Survey, Verdict, survey};
use crate::model::{Action, Condition, Event, Failure, Finding, HostId, Plan, Planned, Question, Sink, Step, World};

/// How long to wait before a waiting step looks again.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Performs what the first unconverged step wants, looks again, and so on until no step wants anything.
/// Returns the last survey and how many actions were performed.
///
/// # Errors
/// The first thing that can't be mended: an action that failed, a finding, a blocked step, a wait that ran out, or a step that wants the
/// same again right after it was done.
pub async fn converge(ground: &dyn Ground, steps: &[Box<dyn Step>], server: &HostId, sink: &Sink) -> Result<(Survey, usize), Failure> {
    let mut world = World::default();
    let mut performed = 0;
    let mut done: Vec<(usize, Vec<Action>)> = Vec::new();
    let mut patience = Patience::default();
    loop {
        let survey = survey(ground, steps, server, &mut world, sink).await?;
        let open = survey.verdicts.iter().enumerate().find(|(_, verdict)| !verdict.converged());
        // What came about while a step waited, the others have not seen yet.
        if patience.pause().is_some_and(|waited| open.is_none_or(|(place, _)| place != waited)) {
            world.forget(|question| !matches!(question, Question::Operator(_)));
            continue;
        }
        let Some((place, verdict)) = open else {
            return Ok((survey, performed));
        };
        let changed = performed > 0 || patience.tried();
        let planned: Planned = match &verdict.planned {
            Ok(planned) => planned.clone(),
            Err(missing) => match coming_up(missing).filter(|_| changed) {
                Some(condition) => Plan::Wait(condition).into(),
                None => return Err(failure(verdict, "look", &missing.to_string(), missing.cure())),
            },
        };
        match &planned.plan {
            Plan::Converged => {}
            Plan::Act(actions) => {
                if drifts_still(&done, place, actions) {
                    return Err(still_drifting(verdict, &planned.reasons));
                }
                sink(Event::Planned { scope: verdict.scope.clone(), step: verdict.step.clone(), planned: planned.clone() });
                perform(ground, verdict, actions, sink).await?;
                performed += actions.len();
                world.forget(|question| actions.iter().any(|action| stale(action, question)));
                done.push((place, actions.clone()));
                patience.renew();
            }
            Plan::Wait(condition) => {
                look_again(verdict, condition, patience.wait(place, condition), sink)?;
                tokio::time::sleep(LOOK_AGAIN).await;
                forget_own(&mut world, survey.asked.get(&place));
            }
            Plan::Unmet(findings) => return Err(unmet(verdict, findings)),
        }
    }
}

/// Performs a step's actions in their order.
async fn perform(ground: &dyn Ground, verdict: &Verdict, actions: &[Action], sink: &Sink) -> Result<(), Failure> {
    let (scope, step) = (&verdict.scope, &verdict.step);
    for action in actions {
        let what = action.to_string();
        let begun = Instant::now();
        sink(Event::Acting { scope: scope.clone(), step: step.clone(), what: what.clone() });
        let sent = |done, total| sink(Event::Sent { done, total });
        ground.perform(action, &sent).await.map_err(|failure| failure.at(scope.clone(), step.clone()))?;
        sink(Event::Acted { scope: scope.clone(), step: step.clone(), what, took: begun.elapsed() });
    }
    Ok(())
}

/// The same plan twice in a row, or a third time at all: two steps that undo each other end too.
fn drifts_still(done: &[(usize, Vec<Action>)], place: usize, actions: &[Action]) -> bool {
    let same = |(before, acted): &&(usize, Vec<Action>)| *before == place && acted == actions;
    done.last().is_some_and(|last| same(&last)) || done.iter().filter(same).count() >= 2
}

/// Which answers an action may have changed.
fn stale(action: &Action, question: &Question) -> bool {
    match (action, question) {
        (Action::Host(acted, _), Question::Host(asked, _)) => acted == asked,
        (Action::Host(..) | Action::Api(_), Question::Api(_) | Question::Outside(_)) => true,
        (Action::Operator(_), Question::Operator(_)) => true,
        (Action::Api(_) | Action::Operator(_), _) | (Action::Host(..), Question::Operator(_)) => false,
    }
}

/// Says what is waited for, or that it took too long.
fn look_again(verdict: &Verdict, condition: &Condition, waited: Duration, sink: &Sink) -> Result<(), Failure> {
    if waited >= condition.within {
        let tried = format!("see within {} s that {}", condition.within.as_secs(), condition.what);
        return Err(failure(verdict, &tried, &condition.seen, &condition.cure));
    }
    sink(Event::Waiting { scope: verdict.scope.clone(), step: verdict.step.clone(), condition: condition.clone(), waited });
    Ok(())
}

/// A waiting step looks again at what it asked itself, and at nothing else.
fn forget_own(world: &mut World, own: Option<&BTreeSet<Question>>) {
    let fixed = |question: &Question| matches!(question, Question::Operator(_));
    world.forget(|question| !fixed(question) && own.is_some_and(|own| own.contains(question)));
}

fn failure(verdict: &Verdict, tried: &str, seen: &str, cure: &str) -> Failure {
    Failure::new(tried, seen, cure).at(verdict.scope.clone(), verdict.step.clone())
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

fn still_drifting(verdict: &Verdict, reasons: &[String]) -> Failure {
    let seen = format!("it wants the same again right after it was done: {}", reasons.join("; "));
    failure(verdict, "converge", &seen, "something else changes it back; stop that, or report this as a bug of bedplate")
}

#[cfg(test)]
#[path = "converge_tests.rs"]
mod tests;
