//! A cluster that was never asked to encrypt its Secrets learns it, wherever the run is killed, and never unlearns it.

use bedplate::inventory::Inventory;
use bedplate::model::{Action, ENCRYPTION_CONFIG, Encrypting, HostAction, UnitChange};

use super::fake::{Fake, World};
use super::state::{same, state};
use super::{Death, INVENTORIES, kill, read, told, well};

/// The shop without the flag, and with it.
fn inventories() -> (Inventory, Inventory) {
    let flagged = read(INVENTORIES[0].1);
    let mut plain = flagged.clone();
    plain.k3s.0.remove("secrets-encryption").expect("the shop has it");
    (plain, flagged)
}

async fn plain() -> Fake {
    let inventory = inventories().0;
    let fake = Fake::from(World::of(&inventory));
    well(&fake, &inventory, "without").await;
    let files = fake.with(|world| world.hosts.values().any(|host| host.files.contains_key(ENCRYPTION_CONFIG)));
    assert!(!files, "it has encrypted before it was asked to");
    fake
}

#[tokio::test]
async fn a_death_at_any_action_leaves_no_secret_as_it_was() {
    let flagged = inventories().1;
    let fake = plain().await;
    let whole = well(&fake, &flagged, "with").await;
    let marks: Vec<_> = whole.iter().filter_map(mark).collect();
    assert_eq!(marks, ["enable", "restart", "rotate-keys", "restart"], "{:?}", told(&whole));
    let never_killed = fake.with(state);
    for at in 0..whole.len() {
        for way in [None, Some(0), Some(1)] {
            let fake = plain().await;
            let Some(action) = kill(&fake, &flagged, Death { at, way }).await else { continue };
            let when = format!("after dying at `{action}`");
            well(&fake, &flagged, &when).await;
            assert_eq!(told(&well(&fake, &flagged, &when).await), Vec::<String>::new(), "{when}");
            fake.with(|world| same(&never_killed, &state(world)).unwrap_or_else(|difference| panic!("{when}: {difference}")));
        }
    }
}

fn mark(action: &Action) -> Option<&'static str> {
    match action {
        Action::Host(_, HostAction::Encrypt(Encrypting::Enable)) => Some("enable"),
        Action::Host(_, HostAction::Encrypt(Encrypting::RotateKeys)) => Some("rotate-keys"),
        Action::Host(_, HostAction::Unit { change: UnitChange::Restart, .. }) => Some("restart"),
        _ => None,
    }
}

#[tokio::test]
async fn an_inventory_that_loses_the_flag_is_refused() {
    let (plain, flagged) = inventories();
    let fake = Fake::from(World::of(&flagged));
    well(&fake, &flagged, "with").await;
    let failure = super::run(&fake, &plain).await.unwrap_err().to_string();
    assert!(failure.contains("nobody could read them any more"), "{failure}");
    assert!(fake.with(|world| world.journal.is_empty()));
}
