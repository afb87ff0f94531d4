//! What every node must show: k3s runs on it, and kubelet has told of itself since.

use std::time::Duration;

use super::status;
use crate::inventory::Host;
use crate::model::{ApiQuestion, Condition, HostQuestion, Missing, Note, ObjectRef, Question, Tool, UnitState, View, Why};
use crate::steps::k3s;

/// How long each of the gate's conditions may take.
const WITHIN: Duration = Duration::from_secs(180);

/// How long kubelet must have run before the readiness of pods counts. A kubelet that was started anew first repeats what was true before,
/// then calls pods unready until their probes have run, which takes it up to a period of 10 s (seen: metrics-server, after a restart).
const SETTLED: Duration = Duration::from_secs(20);

/// One host's.
pub struct Kubelet {
    /// systemd's name of k3s there.
    unit: &'static str,
    /// The Node object.
    pub node: ObjectRef,
}

impl Kubelet {
    /// Of this host.
    pub fn of(host: &Host) -> Self {
        Self { unit: k3s::unit(host.role), node: ObjectRef::new("v1", "Node", "", &k3s::node_name(host)) }
    }

    /// Renewed by kubelet every 10 s (kubernetes.io: Nodes, heartbeats).
    fn lease(&self) -> ObjectRef {
        ObjectRef::new("coordination.k8s.io/v1", "Lease", "kube-node-lease", &self.node.name)
    }

    /// What must be known.
    pub fn questions(&self, seen: &View<'_>) -> Vec<Question> {
        let mut questions: Vec<_> =
            [self.node.clone(), self.lease()].into_iter().map(|object| Question::Api(ApiQuestion::Object(object))).collect();
        questions.push(Question::Api(ApiQuestion::Ready));
        questions.push(seen.ask(HostQuestion::Unit(self.unit.into())));
        match seen.unit(self.unit) {
            // Asking a program for its version executes it: not before systemd does.
            Ok(Some(unit)) if is_up(unit) => questions.push(seen.ask(HostQuestion::Version(Tool::K3s))),
            Ok(Some(_)) => questions.push(seen.ask(HostQuestion::Journal(self.unit.into()))),
            _ => {}
        }
        questions
    }

    /// The unit, which at least is about to run.
    ///
    /// # Errors
    /// It is not there, or down.
    pub fn running<'a>(&self, seen: &View<'a>) -> Result<&'a UnitState, Missing> {
        let down = |reason: &str| Missing { question: seen.ask(HostQuestion::Unit(self.unit.into())), why: Why::Unreadable(reason.into()) };
        let unit = seen.unit(self.unit)?.ok_or_else(|| down("k3s is not installed yet"))?;
        if matches!(unit.active.as_str(), "inactive" | "failed") && !unit.job {
            return Err(down("k3s does not run yet"));
        }
        Ok(unit)
    }

    /// The journal's last lines, while k3s is not up.
    ///
    /// # Errors
    /// It can't be read.
    pub fn complaint<'a>(&self, seen: &View<'a>, unit: &UnitState) -> Result<Option<&'a str>, Missing> {
        if is_up(unit) { Ok(None) } else { Ok(seen.journal(self.unit)?.map(String::as_str)) }
    }

    /// The first thing that is waited for.
    ///
    /// # Errors
    /// It can't be seen.
    pub fn gate(&self, seen: &View<'_>, unit: &UnitState) -> Result<Option<Condition>, Missing> {
        if !is_up(unit) {
            return Ok(Some(self.starting(self.complaint(seen, unit)?.unwrap_or_default(), unit)));
        }
        let read_journal = format!("read `journalctl -u {}` on the host", self.unit);
        if let Some(lack) = lack(seen.api_ready(), |_| None)? {
            return Ok(Some(wait("the API server is ready", lack, "read `journalctl -u k3s` on the server")));
        }
        if let Some(lack) = lack(seen.object(&self.node), |node| status::lacks(node, "Ready"))? {
            return Ok(Some(wait(&format!("{} is Ready", self.node), lack, "see `kubectl describe node` for why")));
        }
        if let Some(lack) = lack(seen.object(&self.lease()), |lease| status::unsettled(lease, unit.started, SETTLED))? {
            return Ok(Some(wait("kubelet has looked at every pod since k3s was started", lack, &read_journal)));
        }
        Ok(None)
    }

    /// A unit that is not up yet, with what its journal says of it.
    fn starting(&self, journal: &str, unit: &UnitState) -> Condition {
        let told = k3s::diagnose(journal, self.unit);
        let line = if told.line.is_empty() { String::new() } else { format!(": {}", told.line) };
        let text = format!("{} {}, restarted {} times{line}", unit.active, unit.sub, unit.restarts);
        wait("k3s is active", text, &told.cure)
    }
}

/// Whether k3s has started and stays so.
fn is_up(unit: &UnitState) -> bool {
    unit.active == "active" && !unit.job
}

/// Which k3s it is.
pub fn version(seen: &View<'_>) -> Option<Note> {
    seen.version(Tool::K3s).ok().flatten().map(|version| Note::Fact(format!("k3s {version}")))
}

/// What is lacking in an answer. An API that can't be read behind a unit that is active is waited for: it is on its way.
///
/// # Errors
/// It was not asked.
pub fn lack<T>(answer: Result<Option<T>, Missing>, judge: impl Fn(T) -> Option<String>) -> Result<Option<String>, Missing> {
    match answer {
        Ok(Some(value)) => Ok(judge(value)),
        Ok(None) => Ok(Some("absent".into())),
        Err(Missing { why: Why::Unreadable(reason), .. }) => Ok(Some(reason)),
        Err(missing) => Err(missing),
    }
}

/// A condition, with the gate's deadline.
pub fn wait(what: &str, seen: String, cure: &str) -> Condition {
    Condition { what: what.into(), seen, cure: cure.into(), within: WITHIN }
}
