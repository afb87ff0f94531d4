use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;

use super::*;
use crate::model::{Answer, HostQuestion, Missing, Planned, Reply, Scope, StepId, View};

/// A host on which everything is there from the second look at the gate on.
#[derive(Default)]
struct SlowHost(AtomicUsize);

#[async_trait]
impl Ground for SlowHost {
    async fn ask(&self, questions: Vec<Question>) -> Result<Vec<(Question, Answer)>, Failure> {
        let up = self.0.fetch_add(1, Ordering::SeqCst) > 0;
        let answer = if up { Answer::Present(Reply::Text("up".into())) } else { Answer::Unreadable("down".into()) };
        Ok(questions.into_iter().map(|question| (question, answer.clone())).collect())
    }

    async fn perform(&self, action: &Action, _: &(dyn Fn(u64, u64) + Send + Sync)) -> Result<(), Failure> {
        panic!("nobody acts: {action}")
    }
}

/// What a step does about a file that it can't see.
enum Look {
    Waits,
    Needs,
}

struct Gate(&'static str, Look);

impl Step for Gate {
    fn id(&self) -> StepId {
        StepId::of(self.0)
    }

    fn scope(&self) -> Scope {
        Scope::Cluster
    }

    fn questions(&self, seen: &View<'_>) -> Vec<Question> {
        vec![seen.ask(HostQuestion::Digest(self.0.into()))]
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        match (seen.digest(self.0), &self.1) {
            (Ok(_), _) => Ok(Plan::Converged.into()),
            (Err(_), Look::Waits) => {
                let within = Duration::from_secs(60);
                Ok(Plan::Wait(Condition { what: "it is up".into(), seen: "down".into(), cure: String::new(), within }).into())
            }
            (Err(missing), Look::Needs) => Err(missing),
        }
    }
}

#[tokio::test]
async fn what_came_about_during_a_wait_is_seen_by_the_steps_behind_it() {
    let steps: Vec<Box<dyn Step>> = vec![Box::new(Gate("gate", Look::Waits)), Box::new(Gate("later", Look::Needs))];
    let sink: Sink = Arc::new(|_| {});
    let done = converge(&SlowHost::default(), &steps, &HostId("droplet".into()), &sink).await;
    assert_eq!(done.map(|(_, performed)| performed).map_err(|failure| failure.to_string()), Ok(0));
}
