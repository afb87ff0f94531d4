//! `pins`: every artifact that the flow needs stands in `bedplate.lock` before a host is touched.

use super::artifact;
use super::changes::Changes;
use crate::inventory::Inventory;
use crate::model::{Action, ArtifactRef, HostId, HostQuestion, Missing, OperatorAction, Planned, Question, Scope, Step, StepId, View};

struct Pins {
    inventory: Inventory,
    /// Whose machine may be of another kind than the first server's.
    agent: Option<HostId>,
}

/// One for what the first server needs, and one an agent.
pub fn steps(inventory: &Inventory) -> Vec<Box<dyn Step>> {
    let agents = inventory.agents().map(|host| Some(HostId(host.name.clone())));
    std::iter::once(None).chain(agents).map(|agent| Box::new(Pins { inventory: inventory.clone(), agent }) as Box<dyn Step>).collect()
}

impl Pins {
    fn needed(&self, seen: &View<'_>) -> Result<Vec<ArtifactRef>, Missing> {
        let mut needed = vec![artifact::k3s(&self.inventory, seen)?];
        needed.extend(artifact::airgap(&self.inventory, seen)?);
        if self.agent.is_some() {
            return Ok(needed);
        }
        if let Some(version) = &self.inventory.versions.helm {
            needed.push(artifact::for_host(seen, "helm", version)?);
        }
        needed.extend(artifact::cert_manager(&self.inventory));
        Ok(needed)
    }
}

impl Step for Pins {
    fn id(&self) -> StepId {
        StepId::of("pins")
    }

    fn scope(&self) -> Scope {
        self.agent.clone().map_or(Scope::Operator, Scope::Host)
    }

    fn questions(&self, seen: &View<'_>) -> Vec<Question> {
        let pins = self.needed(seen).unwrap_or_default();
        std::iter::once(seen.ask(HostQuestion::Facts)).chain(pins.iter().map(artifact::pin_question)).collect()
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        let mut changes = Changes::default();
        for artifact in self.needed(seen)? {
            if seen.pin(&artifact)?.is_none() {
                changes.add(format!("{artifact} was never met"), Action::Operator(OperatorAction::Learn(artifact)));
            }
        }
        Ok(changes.into())
    }
}
