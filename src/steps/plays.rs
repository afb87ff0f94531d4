//! What playbooks add to the flow, in their own order: objects to be applied, and waits between them.

mod manifests;
mod wait;

use crate::inventory::Inventory;
use crate::model::Step;
use crate::playbook::Part;

use super::acme_site::AcmeSite;

/// One step a part of each playbook.
pub(super) fn steps(inventory: &Inventory) -> Vec<Box<dyn Step>> {
    let part = |name: String, part: &Part| -> Box<dyn Step> {
        match part {
            Part::Manifests(manifests) => Box::new(manifests::step(name, manifests, AcmeSite::all(inventory))),
            Part::Wait(wait) => Box::new(wait::Wait { name, part: wait.clone() }),
        }
    };
    let play = |play: &crate::playbook::Play| {
        let parts = play.parts.iter().zip(1..);
        parts.map(|(own, count)| part(format!("{}/{count}", play.name), own)).collect::<Vec<_>>()
    };
    inventory.plays.iter().flat_map(play).collect()
}
