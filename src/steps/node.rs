//! `node`: the gate behind k3s. Ready first, then the parts that k3s brings along.

mod status;

use std::time::Duration;

use super::k3s::{self, UNIT};
use crate::inventory::{Inventory, K3s};
use crate::model::{
    ApiQuestion, Condition, HostQuestion, Missing, Note, ObjectRef, Plan, Planned, Question, Scope, Step, StepId, Tool, UnitState, View,
    Why,
};

/// How long each of the gate's conditions may take (requirements §26).
const WITHIN: Duration = Duration::from_secs(180);

/// How long kubelet must have run before the readiness of pods counts. A kubelet that was started anew first repeats what was true before,
/// then calls pods unready until their probes have run, which takes it up to a period of 10 s (seen: metrics-server, after a restart).
const SETTLED: Duration = Duration::from_secs(20);

/// k3s' Deployments in kube-system; each bears the word in `disable` that leaves it out.
const PARTS: [&str; 3] = ["coredns", "metrics-server", "traefik"];

struct Node {
    node: ObjectRef,
    keys: K3s,
}

/// One, for the first server.
pub fn steps(inventory: &Inventory) -> Vec<Box<dyn Step>> {
    let gate = inventory.server().map(|host| Node { node: ObjectRef::new("v1", "Node", "", &k3s::node_name(host)), keys: inventory.k3s.clone() });
    gate.into_iter().map(|gate| Box::new(gate) as Box<dyn Step>).collect()
}

impl Node {
    fn parts(&self) -> impl Iterator<Item = ObjectRef> {
        let wanted = PARTS.into_iter().filter(|part| !k3s::disables(&self.keys, part));
        wanted.map(|part| ObjectRef::new("apps/v1", "Deployment", "kube-system", part))
    }

    /// Renewed by kubelet every 10 s (kubernetes.io: Nodes, heartbeats).
    fn lease(&self) -> ObjectRef {
        ObjectRef::new("coordination.k8s.io/v1", "Lease", "kube-node-lease", &self.node.name)
    }

    /// Local volumes are made when a pod first wants one, so their class is all that must be there.
    fn volumes(&self) -> Option<ObjectRef> {
        (!k3s::disables(&self.keys, "local-storage")).then(|| ObjectRef::new("storage.k8s.io/v1", "StorageClass", "", "local-path"))
    }

    /// Traefik's Service, where k3s gives it an address.
    fn ingress(&self) -> Option<ObjectRef> {
        let brought = ["traefik", "servicelb"].iter().all(|part| !k3s::disables(&self.keys, part));
        brought.then(|| ObjectRef::new("v1", "Service", "kube-system", "traefik"))
    }

    /// The first thing that is waited for.
    fn gate(&self, seen: &View<'_>, unit: &UnitState) -> Result<Option<Condition>, Missing> {
        if unit.active != "active" || unit.job {
            return Ok(Some(starting(seen, unit)?));
        }
        if let Some(lack) = lack(seen.api_ready(), |_| None)? {
            return Ok(Some(wait("the API server is ready", lack, "read `journalctl -u k3s` on the host")));
        }
        if let Some(lack) = lack(seen.object(&self.node), |node| status::lacks(node, "Ready"))? {
            let cure = "see `kubectl describe node` for why";
            return Ok(Some(wait(&format!("{} is Ready", self.node), lack, cure)));
        }
        if let Some(lack) = lack(seen.object(&self.lease()), |lease| status::unsettled(lease, unit.started, SETTLED))? {
            let cure = "read `journalctl -u k3s` on the host";
            return Ok(Some(wait("kubelet has looked at every pod since k3s was started", lack, cure)));
        }
        let mut lacks = Vec::new();
        for part in self.parts() {
            let lack = lack(seen.object(&part), |part| status::lacks(part, "Available"))?;
            lacks.extend(lack.map(|lack| format!("{}: {lack}", part.name)));
        }
        if let Some(class) = self.volumes() {
            lacks.extend(lack(seen.object(&class), |_| None)?.map(|lack| format!("{class}: {lack}")));
        }
        if let Some(service) = self.ingress() {
            lacks.extend(lack(seen.object(&service), status::lacks_address)?.map(|lack| format!("service traefik: {lack}")));
        }
        let cure = "see `kubectl -n kube-system get pods,events` for why";
        Ok((!lacks.is_empty()).then(|| wait("what k3s brings along is available", lacks.join("; "), cure)))
    }
}

/// What is lacking in an answer. An API that can't be read behind a unit that is active is waited for: it is on its way.
fn lack<T>(answer: Result<Option<T>, Missing>, judge: impl Fn(T) -> Option<String>) -> Result<Option<String>, Missing> {
    match answer {
        Ok(Some(value)) => Ok(judge(value)),
        Ok(None) => Ok(Some("absent".into())),
        Err(Missing { why: Why::Unreadable(reason), .. }) => Ok(Some(reason)),
        Err(missing) => Err(missing),
    }
}

fn wait(what: &str, seen: String, cure: &str) -> Condition {
    Condition { what: what.into(), seen, cure: cure.into(), within: WITHIN }
}

/// A unit that is not up yet, with what its journal says of it.
fn starting(seen: &View<'_>, unit: &UnitState) -> Result<Condition, Missing> {
    let journal = seen.journal(UNIT)?.map(String::as_str).unwrap_or_default();
    let told = k3s::diagnose(journal);
    let line = if told.line.is_empty() { String::new() } else { format!(": {}", told.line) };
    let text = format!("{} {}, restarted {} times{line}", unit.active, unit.sub, unit.restarts);
    Ok(wait("k3s is active", text, &told.cure))
}

impl Step for Node {
    fn id(&self) -> StepId {
        StepId::of("node")
    }

    fn scope(&self) -> Scope {
        Scope::Cluster
    }

    fn questions(&self, seen: &View<'_>) -> Vec<Question> {
        let objects = [self.node.clone(), self.lease()].into_iter().chain(self.parts()).chain(self.volumes()).chain(self.ingress());
        let mut questions: Vec<_> = objects.map(|object| Question::Api(ApiQuestion::Object(object))).collect();
        questions.push(Question::Api(ApiQuestion::Ready));
        questions.push(seen.ask(HostQuestion::Unit(UNIT.into())));
        match seen.unit(UNIT) {
            // Asking a program for its version executes it: not before systemd does.
            Ok(Some(unit)) if unit.active == "active" && !unit.job => questions.push(seen.ask(HostQuestion::Version(Tool::K3s))),
            Ok(Some(_)) => questions.push(seen.ask(HostQuestion::Journal(UNIT.into()))),
            _ => {}
        }
        questions
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        let down = |reason: &str| Missing { question: seen.ask(HostQuestion::Unit(UNIT.into())), why: Why::Unreadable(reason.into()) };
        let unit = seen.unit(UNIT)?.ok_or_else(|| down("k3s is not installed yet"))?;
        if matches!(unit.active.as_str(), "inactive" | "failed") && !unit.job {
            return Err(down("k3s does not run yet"));
        }
        let plan = self.gate(seen, unit)?.map_or(Plan::Converged, Plan::Wait);
        let version = seen.version(Tool::K3s).ok().flatten().map(|version| Note::Fact(format!("k3s {version}")));
        Ok(Planned::from(plan).with_notes(version.into_iter().collect()))
    }
}
