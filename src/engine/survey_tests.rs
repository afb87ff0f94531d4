//! Whoever is slow holds up its own steps and nobody else's questions.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Notify;

use super::*;
use crate::model::{Action, Answer, OperatorQuestion, Reply, View};

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

    async fn perform(&self, _: &Action, _: &(dyn Fn(u64, u64) + Send + Sync)) -> Result<Option<String>, Failure> {
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

/// Answers everything with "absent", and counts how often each host is asked.
#[derive(Default)]
struct Counting(std::sync::atomic::AtomicUsize);

#[async_trait]
impl Ground for Counting {
    async fn ask(&self, questions: Vec<Question>) -> Vec<(Question, Answer)> {
        let at_host = questions.iter().any(|question| matches!(question, Question::Host(..)));
        self.0.fetch_add(usize::from(at_host), std::sync::atomic::Ordering::SeqCst);
        questions.into_iter().map(|question| (question, Answer::Absent)).collect()
    }

    async fn perform(&self, _: &Action, _: &(dyn Fn(u64, u64) + Send + Sync)) -> Result<Option<String>, Failure> {
        unreachable!("a look changes nothing")
    }

    async fn resume(&self, _: &HostId) -> Result<(), Failure> {
        unreachable!("a look reaches nobody anew")
    }
}

/// Asks a content; then a digest and the operator's side, whose answer names another digest.
struct Named;

impl Step for Named {
    fn id(&self) -> StepId {
        StepId::of("named")
    }

    fn scope(&self) -> Scope {
        Scope::Host(HostId("server".into()))
    }

    fn questions(&self, seen: &View<'_>) -> Vec<Question> {
        let mut questions = vec![seen.ask(HostQuestion::Content("/a".into()))];
        if seen.content("/a").is_ok() {
            questions.push(Question::Operator(OperatorQuestion::Kubeconfig("/k".into())));
            questions.push(seen.ask(HostQuestion::Digest("/b".into())));
        }
        if seen.kubeconfig(std::path::Path::new("/k")).is_ok() {
            questions.push(seen.ask(HostQuestion::Digest("/c".into())));
        }
        questions
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        seen.digest("/b").and(seen.digest("/c")).map(|_| Plan::Converged.into())
    }
}

#[tokio::test]
async fn what_the_operators_side_names_costs_no_round_of_its_own() {
    let steps: [Box<dyn Step>; 1] = [Box::new(Named)];
    let (ground, server, mut world, sink) = (Counting::default(), HostId("server".into()), World::default(), Arc::new(|_| {}) as Sink);
    let survey = survey(&ground, &steps, &server, &mut world, &sink).await;
    assert!(survey.verdicts.iter().all(Verdict::converged), "{survey:?}");
    assert_eq!(ground.0.into_inner(), 2);
}

/// Answers a knock only once the host was asked for what a page names.
#[derive(Default)]
struct Dropping {
    asked_more: Notify,
}

#[async_trait]
impl Ground for Dropping {
    async fn ask(&self, questions: Vec<Question>) -> Vec<(Question, Answer)> {
        for question in &questions {
            match question {
                Question::Host(..) => self.asked_more.notify_one(),
                Question::Outside(OutsideQuestion::Knock { .. }) => self.asked_more.notified().await,
                _ => {}
            }
        }
        questions.into_iter().map(|question| (question, Answer::Absent)).collect()
    }

    async fn perform(&self, _: &Action, _: &(dyn Fn(u64, u64) + Send + Sync)) -> Result<Option<String>, Failure> {
        unreachable!("a look changes nothing")
    }

    async fn resume(&self, _: &HostId) -> Result<(), Failure> {
        unreachable!("a look reaches nobody anew")
    }
}

/// Knocks and gets a page; then asks the host.
struct Visitor;

const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

impl Step for Visitor {
    fn id(&self) -> StepId {
        StepId::of("visitor")
    }

    fn scope(&self) -> Scope {
        Scope::Cluster
    }

    fn questions(&self, seen: &View<'_>) -> Vec<Question> {
        let knock = Question::Outside(OutsideQuestion::Knock { address: ADDRESS, port: 6443 });
        let get = Question::Outside(OutsideQuestion::get("http://a/", ADDRESS));
        let more = seen.exchange("http://a/", ADDRESS).is_ok().then(|| seen.ask(HostQuestion::Facts));
        [knock, get].into_iter().chain(more).collect()
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        seen.knocked(ADDRESS, 6443).map(|_| Plan::Converged.into())
    }
}

#[tokio::test]
async fn a_dropped_packet_holds_up_no_other_question() {
    let steps: [Box<dyn Step>; 1] = [Box::new(Visitor)];
    let (ground, server, mut world, sink) = (Dropping::default(), HostId("server".into()), World::default(), Arc::new(|_| {}) as Sink);
    let looked = survey(&ground, &steps, &server, &mut world, &sink);
    let survey = tokio::time::timeout(Duration::from_secs(10), looked).await.unwrap();
    assert!(survey.verdicts.iter().all(Verdict::converged), "{survey:?}");
}
