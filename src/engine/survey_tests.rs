//! Whoever is slow holds up its own steps and nobody else's questions.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Notify;

use super::*;
use crate::model::{Action, Answer, Reply, View};

/// `fast` answers at once, `slow` only once `fast` was asked for the second time.
#[derive(Default)]
struct Uneven {
    asked_more: Notify,
}

#[async_trait]
impl Ground for Uneven {
    async fn ask(&self, questions: Vec<Question>) -> Vec<(Question, Answer)> {
        for question in &questions {
            match question {
                Question::Host(host, HostQuestion::Digest(_)) if host.0 == "fast" => self.asked_more.notify_one(),
                Question::Host(host, HostQuestion::Content(_)) if host.0 == "slow" => self.asked_more.notified().await,
                _ => {}
            }
        }
        questions.into_iter().map(|question| (question, Answer::Present(Reply::Text("x".into())))).collect()
    }

    async fn perform(&self, _: &Action, _: &(dyn Fn(u64, u64) + Send + Sync)) -> Result<(), Failure> {
        unreachable!("a look changes nothing")
    }

    async fn resume(&self, _: &HostId) -> Result<(), Failure> {
        unreachable!("a look reaches nobody anew")
    }
}

/// Asks for a content, then for a digest.
struct Twofold(HostId);

impl Step for Twofold {
    fn id(&self) -> StepId {
        StepId::of("twofold")
    }

    fn scope(&self) -> Scope {
        Scope::Host(self.0.clone())
    }

    fn questions(&self, seen: &View<'_>) -> Vec<Question> {
        let mut questions = vec![seen.ask(HostQuestion::Content("/a".into()))];
        if !matches!(seen.content("/a"), Err(Missing { why: Why::NotAsked, .. })) {
            questions.push(seen.ask(HostQuestion::Digest("/b".into())));
        }
        questions
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        seen.digest("/b").map(|_| Plan::Converged.into())
    }
}

#[tokio::test]
async fn a_slow_host_holds_up_nobody_else() {
    let steps: Vec<Box<dyn Step>> = ["server", "fast", "slow"].map(|name| Box::new(Twofold(HostId(name.into()))) as Box<dyn Step>).into();
    let (ground, server, mut world, sink) = (Uneven::default(), HostId("server".into()), World::default(), Arc::new(|_| {}) as Sink);
    let looked = survey(&ground, &steps, &server, &mut world, &sink);
    let survey = tokio::time::timeout(Duration::from_secs(10), looked).await.unwrap();
    assert!(survey.verdicts.iter().all(Verdict::converged), "{survey:?}");
}
