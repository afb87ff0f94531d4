//! Several hosts: side by side, without those that fail, and on after a line that broke.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use tokio::sync::Barrier;

use super::*;
use crate::model::{Answer, HostAction, HostQuestion, Missing, Owner, Planned, Reply, Scope, StepId, View};

/// How a host's line behaves.
#[derive(Clone, Copy, PartialEq)]
enum Line {
    Good,
    /// Never reached.
    Dead,
    /// Breaks in the first action, and can be had again.
    Breaks,
    /// Breaks in every action.
    BreaksAgain,
    /// The action fails, the line is good.
    Fails,
}

/// Hosts that know nothing but folders.
struct Fleet {
    lines: BTreeMap<HostId, Line>,
    made: Mutex<Vec<(HostId, String)>>,
    resumed: AtomicUsize,
    /// Where actions meet: who comes here alone waits for ever.
    meet: Option<Barrier>,
}

impl Fleet {
    fn of(lines: &[(&str, Line)]) -> Self {
        let lines = lines.iter().map(|(name, line)| (HostId((*name).into()), *line)).collect();
        Self { lines, made: Mutex::default(), resumed: AtomicUsize::new(0), meet: None }
    }

    fn made(&self) -> Vec<String> {
        let mut made: Vec<_> = self.made.lock().unwrap().iter().map(|(host, path)| format!("{host} {path}")).collect();
        made.sort();
        made
    }
}

fn broken(host: &HostId) -> Failure {
    let mut failure = Failure::new("reach it", "the line broke", "mend it").exiting(Exit::Unreachable);
    failure.scope = Some(Scope::Host(host.clone()));
    failure
}

#[async_trait]
impl Ground for Fleet {
    async fn ask(&self, questions: Vec<Question>) -> Vec<(Question, Answer)> {
        let answer = |question: &Question| match question {
            Question::Host(host, _) if self.lines[host] == Line::Dead => Answer::Lost(Arc::new(broken(host))),
            Question::Host(host, HostQuestion::Digest(path)) if self.made.lock().unwrap().contains(&(host.clone(), path.clone())) => {
                Answer::Present(Reply::Text("there".into()))
            }
            _ => Answer::Absent,
        };
        questions.into_iter().map(|question| (question.clone(), answer(&question))).collect()
    }

    async fn perform(&self, action: &Action, _: &(dyn Fn(u64, u64) + Send + Sync)) -> Result<Option<String>, Failure> {
        let Action::Host(host, HostAction::MakeFolder { path, .. }) = action else { panic!("{action}") };
        if let Some(meet) = &self.meet {
            meet.wait().await;
        }
        match self.lines[host] {
            Line::Breaks if self.resumed.load(Ordering::SeqCst) == 0 => return Err(broken(host)),
            Line::BreaksAgain => return Err(broken(host)),
            Line::Fails => return Err(Failure::new("make it", "disk full", "make room")),
            _ => self.made.lock().unwrap().push((host.clone(), path.clone())),
        }
        Ok(None)
    }

    async fn resume(&self, _: &HostId) -> Result<(), Failure> {
        self.resumed.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

/// Wants a folder.
struct Folder(Scope, &'static str);

impl Step for Folder {
    fn id(&self) -> StepId {
        StepId::of(self.1)
    }

    fn scope(&self) -> Scope {
        self.0.clone()
    }

    fn questions(&self, seen: &View<'_>) -> Vec<Question> {
        vec![seen.ask(HostQuestion::Digest(self.1.into()))]
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        let folder = HostAction::MakeFolder { path: self.1.into(), mode: 0o755, owner: Owner::Root };
        let lacks = seen.digest(self.1)?.is_none().then(|| Action::Host(seen.host().clone(), folder));
        Ok(Planned::act(lacks.into_iter().collect(), vec!["it is absent".into()]))
    }
}

/// The flow of a server and agents: two steps each, and one of the cluster's behind them.
async fn run(fleet: &Fleet) -> Result<Vec<String>, Failure> {
    let on = |name: &HostId, step| Box::new(Folder(Scope::Host(name.clone()), step)) as Box<dyn Step>;
    let hosts: Vec<_> = fleet.lines.keys().collect();
    let mut steps: Vec<_> = hosts.iter().map(|host| on(host, "first")).collect();
    steps.extend(hosts.iter().map(|host| on(host, "second")));
    steps.push(Box::new(Folder(Scope::Cluster, "last")));
    let sink: Sink = Arc::new(|_| {});
    let server = HostId("a".into());
    let converged = converge(fleet, &steps, &server, &sink);
    let outcome = tokio::time::timeout(Duration::from_secs(20), converged).await.expect("it hangs")?;
    Ok(outcome.lost.iter().map(ToString::to_string).collect())
}

#[tokio::test]
async fn agents_go_on_without_one_that_fails() {
    let fleet = Fleet::of(&[("a", Line::Good), ("b", Line::Fails), ("c", Line::Dead), ("d", Line::Good)]);
    let lost = run(&fleet).await.unwrap();
    assert_eq!(
        lost,
        ["b: first: could not make it: disk full\n  cure: make room", "c: could not reach it: the line broke\n  cure: mend it"]
    );
    assert_eq!(fleet.made(), ["a first", "a last", "a second", "d first", "d second"]);
    assert_eq!(fleet.resumed.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_line_that_breaks_is_mended_once() {
    for host in ["a", "b"] {
        let line = |name| (name, if name == host { Line::Breaks } else { Line::Good });
        let fleet = Fleet::of(&[line("a"), line("b")]);
        assert_eq!(run(&fleet).await.unwrap(), Vec::<String>::new());
        assert_eq!((fleet.made().len(), fleet.resumed.load(Ordering::SeqCst)), (5, 1));
    }
    let fleet = Fleet::of(&[("a", Line::BreaksAgain)]);
    assert_eq!(run(&fleet).await.unwrap_err().exit, Exit::Unreachable);
    assert_eq!(fleet.resumed.load(Ordering::SeqCst), 1);
    let fleet = Fleet::of(&[("a", Line::Good), ("b", Line::BreaksAgain)]);
    assert_eq!(run(&fleet).await.unwrap().len(), 1);
    assert_eq!(fleet.made(), ["a first", "a last", "a second"]);
}

#[tokio::test]
async fn a_server_that_fails_ends_the_run() {
    for (line, exit) in [(Line::Fails, Exit::Failed), (Line::Dead, Exit::Unreachable)] {
        let fleet = Fleet::of(&[("a", line), ("b", Line::Good)]);
        assert_eq!(run(&fleet).await.unwrap_err().exit, exit);
    }
}

#[tokio::test]
async fn hosts_are_worked_on_side_by_side() {
    let mut fleet = Fleet::of(&[("b", Line::Good), ("c", Line::Good)]);
    fleet.meet = Some(Barrier::new(2));
    let steps: Vec<Box<dyn Step>> =
        fleet.lines.keys().map(|host| Box::new(Folder(Scope::Host(host.clone()), "first")) as Box<dyn Step>).collect();
    let sink: Sink = Arc::new(|_| {});
    let server = HostId("a".into());
    let converged = converge(&fleet, &steps, &server, &sink);
    assert_eq!(tokio::time::timeout(Duration::from_secs(20), converged).await.expect("one waits for the other").unwrap().performed, 2);
}
