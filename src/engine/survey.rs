//! One look at everything: asks what is open, then plans every step. Changes nothing.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::stream::{FuturesUnordered, StreamExt as _};

use super::Ground;
use crate::model::{
    Answer, Event, Failure, HostId, HostQuestion, Missing, OutsideQuestion, Plan, Planned, Question, Scope, Sink, Step, StepId, Why, World,
};

/// How often a step may ask more once it sees answers: three rounds, each in pieces as its host, the API and the operator's side answer.
const ROUNDS: usize = 9;

/// What every step says, in the order of the flow.
#[derive(Clone, Debug)]
pub struct Survey {
    /// One verdict a step.
    pub verdicts: Vec<Verdict>,
    /// What each step asked, by its place in `verdicts`.
    pub(super) asked: BTreeMap<usize, BTreeSet<Question>>,
}

/// One step's verdict.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// What it concerns.
    pub scope: Scope,
    /// Which step.
    pub step: StepId,
    /// `Err`: blocked.
    pub planned: Result<Planned, Missing>,
}

impl Verdict {
    /// Whether there is nothing to do and nothing to find fault with.
    #[must_use]
    pub fn converged(&self) -> bool {
        matches!(&self.planned, Ok(planned) if planned.plan == Plan::Converged)
    }

    /// Why its host can't be reached or was set aside; none: it was not.
    #[must_use]
    pub fn lost(&self) -> Option<&Arc<Failure>> {
        match &self.planned {
            Err(Missing { why: Why::Lost(failure), .. }) => Some(failure),
            _ => None,
        }
    }

    /// Whether it fails by itself, that is, whether no action or wait of ours could mend it.
    #[must_use]
    pub fn unmet(&self) -> bool {
        matches!(&self.planned, Ok(planned) if matches!(planned.plan, Plan::Unmet(_)))
    }
}

/// Who answers on their own: nobody waits for anybody else's answers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Party {
    /// The operator's own machine: the quickest, and what it says opens questions to all others.
    Operator,
    /// The first server and its API, which is reached through it.
    Server,
    /// Another host.
    Host(HostId),
    Outside,
    /// What drops packets takes its time, and no other question hangs on it.
    Doors,
}

impl Party {
    fn of(question: &Question, server: &HostId) -> Self {
        match question {
            Question::Operator(_) => Self::Operator,
            Question::Host(host, _) | Question::HelmDryRun(host, _) if host != server => Self::Host(host.clone()),
            Question::Host(..) | Question::HelmDryRun(..) | Question::Api(_) => Self::Server,
            Question::Outside(OutsideQuestion::Knock { .. }) | Question::Hairpin(..) => Self::Doors,
            Question::Outside(_) => Self::Outside,
        }
    }

    fn host<'a>(&'a self, server: &'a HostId) -> Option<&'a HostId> {
        match self {
            Self::Server => Some(server),
            Self::Host(host) => Some(host),
            Self::Operator | Self::Outside | Self::Doors => None,
        }
    }

    /// Whether a step of that scope may ask more once it sees this party's answers.
    fn concerns(&self, scope: &Scope) -> bool {
        match self {
            Self::Host(host) => scope.is_host(&host.0),
            Self::Operator | Self::Server | Self::Outside => true,
            Self::Doors => false,
        }
    }
}

/// What a step has asked so far.
#[derive(Default)]
struct Asked {
    questions: BTreeSet<Question>,
    rounds: usize,
}

/// Asks what the steps want to know, and more as answers come in, then plans all steps. A host that is slow holds up its own steps and
/// nobody else's questions. A step of a host that can't be reached is blocked.
pub async fn survey(ground: &dyn Ground, steps: &[Box<dyn Step>], server: &HostId, world: &mut World, sink: &Sink) -> Survey {
    let scopes: Vec<Scope> = steps.iter().map(|step| step.scope()).collect();
    let mut asked: Vec<Asked> = steps.iter().map(|_| Asked::default()).collect();
    let mut away = BTreeSet::new();
    let mut asking = FuturesUnordered::new();
    let mut heard: Option<Party> = None;
    loop {
        let mut wanted = BTreeSet::new();
        for ((step, scope), asked) in steps.iter().zip(&scopes).zip(&mut asked) {
            if asked.rounds < ROUNDS && heard.as_ref().is_none_or(|party| party.concerns(scope)) {
                let more: Vec<_> = step.questions(&world.view(&host_of(scope, server), server));
                let before = asked.questions.len();
                asked.questions.extend(more);
                asked.rounds += usize::from(asked.questions.len() > before);
                wanted.extend(asked.questions.iter().cloned());
            }
        }
        let mut open: Vec<_> = world.open(wanted).into_iter().filter(|question| !away.contains(question)).collect();
        // After the first round: what the operator's side answers at once may open more questions to a host, and a round trip is dear.
        if heard.is_some() && open.iter().any(|question| Party::of(question, server) == Party::Operator) {
            open.retain(|question| Party::of(question, server).host(server).is_none());
        }
        if !open.is_empty() {
            sink(Event::Asking { questions: open.len() });
        }
        let mut parties: BTreeMap<Party, Vec<Question>> = BTreeMap::new();
        for question in open {
            away.insert(question.clone());
            parties.entry(Party::of(&question, server)).or_default().push(question);
        }
        asking.extend(parties.into_iter().map(async |(party, questions)| (party, ground.ask(questions).await)));
        let Some((party, answers)) = asking.next().await else { break };
        if let Some(host) = party.host(server)
            && answers.iter().any(|(_, answer)| !matches!(answer, Answer::Lost(_)))
        {
            sink(Event::Answered { host: host.clone(), questions: answers.len() });
        }
        for (question, answer) in answers {
            away.remove(&question);
            world.learn(question, answer);
        }
        if world.lost().contains_key(server) {
            // Without the first server no run goes on: nobody else is waited for.
            break;
        }
        heard = Some(party);
    }
    drop(asking);
    let verdicts = steps.iter().map(|step| verdict(step.as_ref(), server, world)).collect();
    let asked = asked.into_iter().map(|asked| asked.questions).enumerate().collect();
    Survey { verdicts, asked }
}

fn verdict(step: &dyn Step, server: &HostId, world: &World) -> Verdict {
    let scope = step.scope();
    let host = host_of(&scope, server);
    let lost = world.lost().get(&*host).filter(|_| scope != Scope::Operator);
    let planned = match lost {
        Some(failure) => {
            Err(Missing { question: Question::Host(host.into_owned(), HostQuestion::Facts), why: Why::Lost(Arc::clone(failure)) })
        }
        None => step.plan(&world.view(&host, server)),
    };
    Verdict { scope, step: step.id(), planned }
}

/// The host that a step sees: its own, or the first server.
fn host_of<'a>(scope: &Scope, server: &'a HostId) -> Cow<'a, HostId> {
    match scope {
        Scope::Host(host) => Cow::Owned(host.clone()),
        Scope::Operator | Scope::Cluster => Cow::Borrowed(server),
    }
}

#[cfg(test)]
#[path = "survey_tests.rs"]
mod tests;
