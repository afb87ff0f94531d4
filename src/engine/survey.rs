//! One look at everything: asks what is open, then plans every step. Changes nothing.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Ground;
use crate::model::{Event, Failure, HostId, HostQuestion, Missing, Plan, Planned, Question, Scope, Sink, Step, StepId, Why, World};

/// How often a step may ask more once it sees answers.
const ROUNDS: usize = 3;

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

/// Asks the open questions of all steps, at most three rounds, and plans all steps. A step of a host that can't be reached is blocked.
pub async fn survey(ground: &dyn Ground, steps: &[Box<dyn Step>], server: &HostId, world: &mut World, sink: &Sink) -> Survey {
    let mut asked: BTreeMap<usize, BTreeSet<Question>> = BTreeMap::new();
    for _ in 0..ROUNDS {
        for (place, step) in steps.iter().enumerate() {
            asked.entry(place).or_default().extend(step.questions(&world.view(&host_of(&step.scope(), server), server)));
        }
        let open: Vec<_> = world.open(asked.values().flatten().cloned()).into_iter().collect();
        if open.is_empty() {
            break;
        }
        sink(Event::Asking { questions: open.len() });
        for (question, answer) in ground.ask(open).await {
            world.learn(question, answer);
        }
    }
    let verdicts = steps.iter().map(|step| verdict(step.as_ref(), server, world)).collect();
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
