//! What is known.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Answer, Failure, HostId, Question, Scope, View};

/// All answers so far.
#[derive(Clone, Debug, Default)]
pub struct World {
    answers: BTreeMap<Question, Answer>,
    lost: BTreeMap<HostId, Arc<Failure>>,
}

impl World {
    /// Takes an answer in, in place of an older one.
    pub fn learn(&mut self, question: Question, answer: Answer) {
        let answer = match answer {
            Answer::Lost(failure) => match &failure.scope {
                Some(Scope::Host(host)) => return self.lose(host.clone(), Arc::clone(&failure)),
                // Nobody is there to be set aside, and a question without an answer is asked for ever.
                _ => Answer::Unreadable(failure.to_string()),
            },
            other => other,
        };
        self.answers.insert(question, answer);
    }

    /// Sets a host aside: its questions are not asked any more, and its steps are blocked on this failure.
    pub fn lose(&mut self, host: HostId, failure: Arc<Failure>) {
        self.lost.insert(host, failure);
    }

    /// Takes a host that was set aside back in.
    pub fn find(&mut self, host: &HostId) {
        self.lost.remove(host);
    }

    /// The hosts that are set aside, and why.
    #[must_use]
    pub fn lost(&self) -> &BTreeMap<HostId, Arc<Failure>> {
        &self.lost
    }

    /// Drops the answers that may no longer hold.
    pub fn forget(&mut self, stale: impl Fn(&Question) -> bool) {
        self.answers.retain(|question, _| !stale(question));
    }

    /// Those of `questions` that have no answer yet.
    #[must_use]
    pub fn open(&self, questions: impl IntoIterator<Item = Question>) -> BTreeSet<Question> {
        let settled = |question: &Question| self.answers.contains_key(question) || self.set_aside(question).is_some();
        questions.into_iter().filter(|question| !settled(question)).collect()
    }

    /// Why the host that a question goes to is set aside; none: it is not, or the question goes to no host.
    pub(super) fn set_aside(&self, question: &Question) -> Option<&Arc<Failure>> {
        match question {
            Question::Host(host, _) | Question::HelmDryRun(host, _) | Question::Hairpin(host, _) => self.lost.get(host),
            Question::Api(_) | Question::Outside(_) | Question::Operator(_) => None,
        }
    }

    /// What came back last.
    pub(super) fn answer(&self, question: &Question) -> Option<&Answer> {
        self.answers.get(question)
    }

    /// What a step that concerns `host` may see; `server` is the first server, of which an agent sees how to join and nothing else.
    #[must_use]
    pub fn view<'a>(&'a self, host: &'a HostId, server: &'a HostId) -> View<'a> {
        View { world: self, host, server }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::OperatorQuestion;

    #[test]
    fn a_question_lost_with_no_host_has_an_answer() {
        let question = Question::Operator(OperatorQuestion::Clock);
        let mut world = World::default();
        world.learn(question.clone(), Answer::Lost(Arc::new(Failure::new("reach b", "it isn't in the inventory", ""))));
        assert!(world.open([question]).is_empty());
    }
}
