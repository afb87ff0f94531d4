//! The loop that changes the world.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::stream::{self, StreamExt as _};

use super::course::{Course, Next};
use super::lane::{Lane, heads, ready};
use super::{Ground, Survey, Verdict, survey};
use crate::model::{
    Action, Event, Exit, Failure, HostAction, HostId, Note, OperatorQuestion, OutsideQuestion, Question, Scope, Sink, Step, StepId, Visit,
    World,
};

/// How long to wait before a waiting step looks again.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How many hosts are worked on at once: the operator's uplink is shared by all of them.
const AT_ONCE: usize = 8;

/// How a run ended that the server's part did not end.
#[derive(Debug)]
pub struct Outcome {
    /// The last look, which found nothing to do on the hosts that are left.
    pub survey: Survey,
    /// How many actions were performed.
    pub performed: usize,
    /// Hosts that failed and were set aside.
    pub lost: Vec<Arc<Failure>>,
}

/// Performs what unconverged steps want, as far as they may go on side by side, looks again, and so on until no step wants anything.
///
/// # Errors
/// The first thing outside the agents that can't be mended: an action that failed, a finding, a blocked step, a wait that ran out, or a
/// step that wants the same again right after it was done. An agent for which this is so is set aside instead.
pub async fn converge(ground: &dyn Ground, steps: &[Box<dyn Step>], server: &HostId, sink: &Sink) -> Result<Outcome, Failure> {
    let run = Run {
        ground,
        server,
        sink,
        world: World::default(),
        performed: 0,
        courses: BTreeMap::new(),
        resumed: BTreeSet::new(),
        noted: Vec::new(),
    };
    run.finish(steps).await
}

/// A step's turn to act, in its lane and at its place in the flow.
struct Turn {
    lane: Lane,
    place: usize,
    actions: Vec<Action>,
}

struct Run<'a> {
    ground: &'a dyn Ground,
    server: &'a HostId,
    sink: &'a Sink,
    world: World,
    performed: usize,
    courses: BTreeMap<Lane, Course>,
    /// Hosts whose line is not mended any more when it breaks.
    resumed: BTreeSet<HostId>,
    /// What steps have said beside their verdicts, told at once: a run that fails never comes to its findings.
    noted: Vec<(Scope, StepId, Note)>,
}

impl Run<'_> {
    async fn finish(mut self, steps: &[Box<dyn Step>]) -> Result<Outcome, Failure> {
        let mut survey = self.look(steps).await;
        self.never_reached()?;
        loop {
            let heads = heads(&survey.verdicts, self.server);
            if heads.is_empty() {
                let lost = self.world.lost().values().cloned().collect();
                return Ok(Outcome { survey, performed: self.performed, lost });
            }
            if self.waits_ended(&heads) {
                // What came about while a step waited, the others have not seen yet.
                self.world.forget(|question| !matches!(question, Question::Operator(_)));
            } else {
                self.advance(&survey, &ready(&heads, &survey.verdicts)).await?;
                // Before the look, in which a visitor's questions may take their time.
                self.resume().await?;
            }
            survey = self.look(steps).await;
            if self.resume().await? {
                survey = self.look(steps).await;
            }
        }
    }

    async fn look(&mut self, steps: &[Box<dyn Step>]) -> Survey {
        // Whatever was done or waited for, time has passed: what begins or ends in between is judged by the time of this look.
        // Others write into the kubeconfig, too.
        let passes = |asked: &OperatorQuestion| matches!(asked, OperatorQuestion::Clock | OperatorQuestion::Kubeconfig(_));
        self.world.forget(|question| matches!(question, Question::Operator(asked) if passes(asked)));
        let survey = survey(self.ground, steps, self.server, &mut self.world, self.sink).await;
        for Verdict { scope, step, planned } in &survey.verdicts {
            for note in planned.iter().flat_map(|planned| &planned.notes) {
                let note = (scope.clone(), step.clone(), note.clone());
                if !self.noted.contains(&note) {
                    self.noted.push(note.clone());
                    let (scope, step, note) = note;
                    (self.sink)(Event::Noted { scope, step, note });
                }
            }
        }
        survey
    }

    /// Every lane that may go on does what comes next.
    async fn advance(&mut self, survey: &Survey, ready: &BTreeMap<Lane, usize>) -> Result<(), Failure> {
        let mut turns = Vec::new();
        let mut waiting = Vec::new();
        for (lane, &place) in ready {
            let course = self.courses.entry(lane.clone()).or_default();
            match course.next(place, &survey.verdicts[place], self.performed > 0, self.sink) {
                Ok(Next::Act(actions)) => turns.push(Turn { lane: lane.clone(), place, actions }),
                Ok(Next::Wait) => waiting.push(place),
                Err(failure) => self.failed(lane, failure)?,
            }
        }
        if turns.is_empty() && !waiting.is_empty() {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        self.perform(turns, &survey.verdicts).await?;
        for place in waiting {
            self.forget_own(survey.asked.get(&place));
        }
        Ok(())
    }

    /// Performs turns side by side; the run ends with a failure of the main lane once the others have come to their end.
    async fn perform(&mut self, turns: Vec<Turn>, verdicts: &[Verdict]) -> Result<(), Failure> {
        let (ground, sink) = (self.ground, self.sink);
        let work = turns.into_iter().map(async |turn: Turn| {
            let (performed, ended) = act(ground, &verdicts[turn.place], &turn.actions, sink).await;
            (turn, performed, ended)
        });
        let ended: Vec<_> = stream::iter(work).buffer_unordered(AT_ONCE).collect().await;
        let mut result = Ok(());
        for (turn, performed, ended) in ended {
            self.performed += performed;
            self.world.forget(|question| turn.actions.iter().any(|action| stale(action, question)));
            match ended {
                Ok(()) => self.courses.entry(turn.lane).or_default().done(turn.place, turn.actions),
                Err(failure) => result = result.and(self.failed(&turn.lane, failure)),
            }
        }
        result
    }

    /// A lane can't go on. A line that broke is mended first; else an agent is set aside, and the main lane ends the run.
    fn failed(&mut self, lane: &Lane, failure: Failure) -> Result<(), Failure> {
        let host = match lane {
            Lane::Main => self.server,
            Lane::Host(host) => host,
        };
        if failure.exit == Exit::Unreachable && !self.resumed.contains(host) {
            self.world.lose(host.clone(), Arc::new(failure));
        } else if *lane == Lane::Main {
            return Err(failure);
        } else {
            self.set_aside(host, Arc::new(failure));
        }
        Ok(())
    }

    fn set_aside(&mut self, host: &HostId, failure: Arc<Failure>) {
        (self.sink)(Event::SetAside(Arc::clone(&failure)));
        self.world.lose(host.clone(), failure);
    }

    /// Who can't be reached at the first look has no line to mend.
    fn never_reached(&mut self) -> Result<(), Failure> {
        for (host, failure) in self.world.lost().clone() {
            if host == *self.server {
                return Err(failure.as_ref().clone());
            }
            self.resumed.insert(host.clone());
            self.set_aside(&host, failure);
        }
        Ok(())
    }

    /// Reaches hosts anew whose line broke, each once a run. Every step starts from what is there, so going on is safe. Returns
    /// whether there is something to look at again.
    async fn resume(&mut self) -> Result<bool, Failure> {
        let mut again = false;
        for (host, failure) in self.world.lost().clone() {
            if failure.exit != Exit::Unreachable || !self.resumed.insert(host.clone()) {
                continue;
            }
            (self.sink)(Event::Resuming(failure));
            match self.ground.resume(&host).await {
                Ok(()) => {
                    self.world.find(&host);
                    self.world.forget(|question| match question {
                        Question::Host(asked, _) | Question::HelmDryRun(asked, _) | Question::Hairpin(asked, _) => *asked == host,
                        Question::Api(_) | Question::Outside(_) => true,
                        Question::Operator(_) => false,
                    });
                    again = true;
                }
                Err(failure) if host == *self.server => return Err(failure),
                Err(failure) => self.set_aside(&host, Arc::new(failure)),
            }
        }
        match self.world.lost().get(self.server) {
            Some(failure) => Err(failure.as_ref().clone()),
            None => Ok(again),
        }
    }

    /// Whether a lane that waited is past that place.
    fn waits_ended(&mut self, heads: &BTreeMap<Lane, usize>) -> bool {
        let mut ended = false;
        for (lane, course) in &mut self.courses {
            ended |= course.patience.pause().is_some_and(|waited| heads.get(lane) != Some(&waited));
        }
        ended
    }

    /// A waiting step looks again at what it asked itself, and at nothing else.
    fn forget_own(&mut self, own: Option<&BTreeSet<Question>>) {
        let fixed = |question: &Question| matches!(question, Question::Operator(_));
        self.world.forget(|question| !fixed(question) && own.is_some_and(|own| own.contains(question)));
    }
}

/// Performs a step's actions in their order: how many, and how it ended.
async fn act(ground: &dyn Ground, verdict: &Verdict, actions: &[Action], sink: &Sink) -> (usize, Result<(), Failure>) {
    let (scope, step) = (&verdict.scope, &verdict.step);
    for (performed, action) in actions.iter().enumerate() {
        let what = action.to_string();
        let begun = Instant::now();
        sink(Event::Acting { scope: scope.clone(), step: step.clone(), what: what.clone() });
        let sent = |done, total| sink(Event::Sent { scope: scope.clone(), step: step.clone(), done, total });
        let said = match ground.perform(action, &sent).await {
            Ok(said) => said,
            Err(failure) => return (performed, Err(failure.at(scope.clone(), step.clone()))),
        };
        sink(Event::Acted { scope: scope.clone(), step: step.clone(), what, took: begun.elapsed(), said });
    }
    (actions.len(), Ok(()))
}

/// Which answers an action may have changed.
fn stale(action: &Action, question: &Question) -> bool {
    match (action, question) {
        // Where packets are dropped a knock takes its time, and few actions open or close a port that was asked about already.
        (action, Question::Outside(OutsideQuestion::Knock { .. }) | Question::Hairpin(_, Visit::Served { .. })) => {
            matches!(action, Action::Host(_, HostAction::Unit { .. } | HostAction::Enforce(..)))
        }
        (Action::Host(acted, _), Question::Host(asked, _) | Question::HelmDryRun(asked, _)) => acted == asked,
        // What a host gets of a page is held against what visitors get.
        (Action::Host(..) | Action::Api(_), Question::Api(_) | Question::Outside(_) | Question::Hairpin(_, Visit::Get { .. })) => true,
        (Action::Operator(_), Question::Operator(_)) => true,
        (Action::Api(_) | Action::Operator(_), _) | (Action::Host(..), Question::Operator(_)) => false,
    }
}

#[cfg(test)]
#[path = "converge_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "hosts_tests.rs"]
mod hosts_tests;
