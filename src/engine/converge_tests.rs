use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;

use super::*;
use crate::model::{
    Answer, ApiAction, Condition, HostQuestion, Missing, ObjectRef, OperatorQuestion, Owner, Plan, Planned, Reply, Secret, Trusted,
    UnitChange, View, Visit,
};

/// A host on which what one step makes is there at once, and all else from a later look on.
struct SlowHost {
    looks: AtomicUsize,
    made: AtomicBool,
    up_at: usize,
}

impl SlowHost {
    fn up_at(up_at: usize) -> Self {
        Self { looks: AtomicUsize::new(0), made: AtomicBool::new(false), up_at }
    }
}

const MADE: &str = "made";

#[async_trait]
impl Ground for SlowHost {
    async fn ask(&self, questions: Vec<Question>) -> Vec<(Question, Answer)> {
        let looks = self.looks.fetch_add(1, Ordering::SeqCst);
        let late = looks >= self.up_at;
        let answer = |question: &Question| {
            if *question == Question::Operator(OperatorQuestion::Clock) {
                return Answer::Present(Reply::Seconds(i64::try_from(looks).unwrap()));
            }
            if let Question::Operator(OperatorQuestion::Kubeconfig(_)) = question {
                let of_others = || Answer::Present(Reply::Bytes(Secret::new("")));
                return if self.made.load(Ordering::SeqCst) { of_others() } else { Answer::Absent };
            }
            let made = matches!(question, Question::Host(_, HostQuestion::Digest(path)) if path == MADE);
            let up = if made { self.made.load(Ordering::SeqCst) } else { late };
            if up { Answer::Present(Reply::Text("up".into())) } else { Answer::Unreadable("down".into()) }
        };
        questions.into_iter().map(|question| (question.clone(), answer(&question))).collect()
    }

    async fn perform(&self, _: &Action, _: &(dyn Fn(u64, u64) + Send + Sync)) -> Result<Option<String>, Failure> {
        self.made.store(true, Ordering::SeqCst);
        Ok(None)
    }

    async fn resume(&self, _: &HostId) -> Result<(), Failure> {
        Ok(())
    }
}

/// What a step does about a file that it can't see.
enum Look {
    Waits,
    Needs,
    Acts,
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
            (Err(_), Look::Acts) => {
                let folder = HostAction::MakeFolder { path: self.0.into(), mode: 0o755, owner: Owner::Root };
                Ok(Planned::act(vec![Action::Host(seen.host().clone(), folder)], vec!["it is absent".into()]))
            }
        }
    }
}

async fn run(host: SlowHost, steps: Vec<Box<dyn Step>>) -> Result<usize, String> {
    let sink: Sink = Arc::new(|_| {});
    let done = converge(&host, &steps, &HostId("droplet".into()), &sink).await;
    done.map(|outcome| outcome.performed).map_err(|failure| failure.to_string())
}

#[tokio::test]
async fn what_came_about_during_a_wait_is_seen_by_the_steps_behind_it() {
    let steps: Vec<Box<dyn Step>> = vec![Box::new(Gate("gate", Look::Waits)), Box::new(Gate("later", Look::Needs))];
    assert_eq!(run(SlowHost::up_at(1), steps).await, Ok(0));
}

#[tokio::test]
async fn what_is_out_of_sight_right_after_a_change_is_waited_for() {
    let steps: Vec<Box<dyn Step>> = vec![Box::new(Gate(MADE, Look::Acts)), Box::new(Gate("later", Look::Needs))];
    assert_eq!(run(SlowHost::up_at(3), steps).await, Ok(1));
}

#[tokio::test]
async fn what_is_out_of_sight_from_the_beginning_is_told_at_once() {
    let told = run(SlowHost::up_at(1), vec![Box::new(Gate("later", Look::Needs))]).await;
    assert_eq!(told, Err("cluster: later: could not look at later on droplet: down\n  cure: see on the host why, then run again".into()));
}

/// Waits until time has passed since its first look.
struct Later;

impl Step for Later {
    fn id(&self) -> StepId {
        StepId::of("later")
    }

    fn scope(&self) -> Scope {
        Scope::Cluster
    }

    fn questions(&self, _: &View<'_>) -> Vec<Question> {
        vec![Question::Operator(OperatorQuestion::Clock)]
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        if seen.clock()? > 0 {
            return Ok(Plan::Converged.into());
        }
        let within = Duration::from_secs(4);
        Ok(Plan::Wait(Condition { what: "it is later".into(), seen: "now".into(), cure: String::new(), within }).into())
    }
}

#[tokio::test]
async fn time_passes_while_a_step_waits() {
    assert_eq!(run(SlowHost::up_at(0), vec![Box::new(Later)]).await, Ok(0));
}

/// Acts where there is no kubeconfig.
struct Merges;

impl Step for Merges {
    fn id(&self) -> StepId {
        StepId::of("merges")
    }

    fn scope(&self) -> Scope {
        Scope::Cluster
    }

    fn questions(&self, _: &View<'_>) -> Vec<Question> {
        vec![Question::Operator(OperatorQuestion::Kubeconfig("/k".into()))]
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        Ok(match seen.kubeconfig("/k".as_ref())? {
            Some(_) => Plan::Converged.into(),
            None => Planned::act(
                vec![Action::Host(seen.host().clone(), HostAction::PinImage { name: "a".into() })],
                vec!["it is absent".into()],
            ),
        })
    }
}

#[tokio::test]
async fn a_kubeconfig_is_judged_by_what_others_wrote_meanwhile() {
    assert_eq!(run(SlowHost::up_at(0), vec![Box::new(Gate(MADE, Look::Acts)), Box::new(Merges)]).await, Ok(1));
}

#[test]
fn only_what_starts_may_open_a_port_that_was_asked_about() {
    let host = HostId("droplet".into());
    let acts = |action| Action::Host(host.clone(), action);
    let starts = acts(HostAction::Unit { unit: "k3s".into(), change: UnitChange::Start });
    let makes = acts(HostAction::MakeFolder { path: "/a".into(), mode: 0o755, owner: Owner::Root });
    let address = std::net::Ipv4Addr::new(203, 0, 113, 10).into();
    let knock = Question::Outside(OutsideQuestion::Knock { address, port: 6443 });
    let get = Question::Outside(OutsideQuestion::get("http://shop.example/", address));
    assert_eq!([&starts, &makes].map(|action| [stale(action, &knock), stale(action, &get)]), [[true, true], [false, true]]);
}

#[test]
fn what_a_host_gets_of_a_page_is_as_fresh_as_what_visitors_get() {
    let host = HostId("droplet".into());
    let makes = Action::Host(host.clone(), HostAction::MakeFolder { path: "/a".into(), mode: 0o755, owner: Owner::Root });
    let applies = Action::Api(ApiAction::Delete(ObjectRef::new("v1", "ConfigMap", "shop", "web")));
    let address = std::net::Ipv4Addr::new(203, 0, 113, 10).into();
    let get = Visit::Get { url: "http://shop.example/".into(), address, trusted: Trusted::World };
    let served = Visit::Served { name: "shop.example".into(), address, trusted: Trusted::World };
    let hairpins = [get, served].map(|visit| Question::Hairpin(host.clone(), visit));
    for action in [makes, applies] {
        assert_eq!([true, false], hairpins.each_ref().map(|question| stale(&action, question)), "{action}");
    }
}

struct Warning;

impl Step for Warning {
    fn id(&self) -> StepId {
        StepId::of("warning")
    }

    fn scope(&self) -> Scope {
        Scope::Cluster
    }

    fn questions(&self, _: &View<'_>) -> Vec<Question> {
        Vec::new()
    }

    fn plan(&self, _: &View<'_>) -> Result<Planned, Missing> {
        Ok(Planned::from(Plan::Converged).with_notes(vec![Note::Fact("it is slow".into())]))
    }
}

#[tokio::test]
async fn what_a_step_has_to_say_is_told_once_also_in_a_run_that_fails() {
    let said = Arc::new(std::sync::Mutex::new(Vec::new()));
    let heard = Arc::clone(&said);
    let sink: Sink = Arc::new(move |event| {
        if let Event::Noted { step, note, .. } = event {
            heard.lock().unwrap().push(format!("{step}: {note:?}"));
        }
    });
    let steps: Vec<Box<dyn Step>> = vec![Box::new(Warning), Box::new(Gate("gone", Look::Acts))];
    assert!(converge(&SlowHost::up_at(usize::MAX), &steps, &HostId("droplet".into()), &sink).await.is_err());
    assert_eq!(*said.lock().unwrap(), [r#"warning: Fact("it is slow")"#]);
}
