//! Agents: `k3s` and `node` of every host that only runs pods. They join one by themselves and side by side, once the server stands.

mod password;

use super::k3s;
use super::node::{Kubelet, Registered, version};
use crate::inventory::{Host, Inventory};
use crate::model::{HostId, Missing, Plan, Planned, Question, Scope, Step, StepId, View};

struct Agent {
    host: HostId,
    kubelet: Kubelet,
    registered: Registered,
}

/// Two an agent.
pub fn steps(inventory: &Inventory) -> Vec<Box<dyn Step>> {
    inventory.agents().flat_map(|host| [k3s::step(inventory, host), node(host)]).collect()
}

fn node(host: &Host) -> Box<dyn Step> {
    Box::new(Agent { host: HostId(host.name.clone()), kubelet: Kubelet::of(host), registered: Registered::of(host) })
}

impl Step for Agent {
    fn id(&self) -> StepId {
        StepId::of("node")
    }

    fn scope(&self) -> Scope {
        Scope::Host(self.host.clone())
    }

    fn questions(&self, seen: &View<'_>) -> Vec<Question> {
        let mut questions = self.kubelet.questions(seen);
        if self.rejected(seen).is_ok_and(|rejected| rejected.is_some()) {
            questions.push(password::question(&self.kubelet.node));
        }
        questions
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        let unit = self.kubelet.running(seen)?;
        if let Some(rejected) = self.rejected(seen)?
            && let Some(planned) = password::forget(seen, &self.kubelet.node, rejected)?
        {
            return Ok(planned);
        }
        let planned = match self.kubelet.gate(seen, unit)? {
            Some(condition) => Plan::Wait(condition).into(),
            None => self.registered.settle(seen, &self.kubelet.node)?,
        };
        Ok(planned.with_notes(version(seen).into_iter().collect()))
    }
}

impl Agent {
    /// When the server last refused this node's password, while k3s is not up.
    fn rejected(&self, seen: &View<'_>) -> Result<Option<i64>, Missing> {
        let unit = self.kubelet.running(seen)?;
        Ok(self.kubelet.complaint(seen, unit)?.and_then(password::rejected))
    }
}
