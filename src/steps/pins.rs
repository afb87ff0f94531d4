//! `pins`: every artifact that the flow needs stands in `bedplate.lock` before a host is touched.

use super::artifact;
use super::changes::Changes;
use crate::inventory::Inventory;
use crate::model::{
    Action, ArtifactRef, HostQuestion, Missing, OperatorAction, Planned, Question, Scope, Step, StepId, View,
};

struct Pins(Inventory);

/// One for the whole inventory; the first server's machine stands for all.
pub fn steps(inventory: &Inventory) -> Vec<Box<dyn Step>> {
    vec![Box::new(Pins(inventory.clone()))]
}

impl Pins {
    fn needed(&self, seen: &View<'_>) -> Result<Vec<ArtifactRef>, Missing> {
        let mut needed = vec![artifact::k3s(&self.0, seen)?];
        needed.extend(artifact::airgap(&self.0, seen)?);
        if let Some(version) = &self.0.versions.helm {
            needed.push(artifact::for_host(seen, "helm", version)?);
        }
        needed.extend(artifact::cert_manager(&self.0));
        Ok(needed)
    }
}

impl Step for Pins {
    fn id(&self) -> StepId {
        StepId::of("pins")
    }

    fn scope(&self) -> Scope {
        Scope::Operator
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
