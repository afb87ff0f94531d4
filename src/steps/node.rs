//! `node`: the gate behind k3s on the server. Ready first, then the parts that k3s brings along.

mod kubelet;
mod registered;
mod status;

pub use kubelet::{Kubelet, version};
pub use registered::Registered;
pub use status::silent_since;

use super::k3s;
use crate::inventory::{Host, Inventory, K3s};
use crate::model::{ApiQuestion, Condition, Missing, ObjectRef, Plan, Planned, Question, Scope, Step, StepId, UnitState, View};
use kubelet::{lack, wait};

/// k3s' Deployments in kube-system; each bears the word in `disable` that leaves it out.
const PARTS: [&str; 3] = ["coredns", "metrics-server", "traefik"];

struct Node {
    kubelet: Kubelet,
    registered: Registered,
    keys: K3s,
}

/// One, for the first server.
pub fn steps(inventory: &Inventory) -> Vec<Box<dyn Step>> {
    let step = |host: &Host| Node { kubelet: Kubelet::of(host), registered: Registered::of(host), keys: inventory.k3s.clone() };
    inventory.server().map(|host| Box::new(step(host)) as Box<dyn Step>).into_iter().collect()
}

impl Node {
    fn parts(&self) -> impl Iterator<Item = ObjectRef> {
        let wanted = PARTS.into_iter().filter(|part| !k3s::disables(&self.keys, part));
        wanted.map(|part| ObjectRef::new("apps/v1", "Deployment", "kube-system", part))
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
        if let Some(condition) = self.kubelet.gate(seen, unit)? {
            return Ok(Some(condition));
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

impl Step for Node {
    fn id(&self) -> StepId {
        StepId::of("node")
    }

    fn scope(&self) -> Scope {
        Scope::Cluster
    }

    fn questions(&self, seen: &View<'_>) -> Vec<Question> {
        let objects = self.parts().chain(self.volumes()).chain(self.ingress());
        let objects = objects.map(|object| Question::Api(ApiQuestion::Object(object)));
        self.kubelet.questions(seen).into_iter().chain(objects).collect()
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        let unit = self.kubelet.running(seen)?;
        let planned = match self.gate(seen, unit)? {
            Some(condition) => Plan::Wait(condition).into(),
            None => self.registered.settle(seen, &self.kubelet.node)?,
        };
        Ok(planned.with_notes(version(seen).into_iter().collect()))
    }
}
