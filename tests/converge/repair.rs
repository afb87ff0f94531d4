//! What drifted from a converged world is mended wherever the run that mends it is killed, and nothing healthy is restarted on the way.

use std::collections::BTreeMap;

use bedplate::inventory::Inventory;
use bedplate::model::{Action, HostAction, ReleaseAction, UnitChange};

use super::fake::{Fake, World};
use super::properties::drift::{Drift, KINDS};
use super::state::{same, state};
use super::{Death, INVENTORIES, kill, read, told, well};

/// How many drifts a repair has to do with.
const HANDFUL: usize = 5;
/// More than there are things of any kind.
const THINGS: usize = 20;

/// A world that converged.
struct Sound {
    inventory: Inventory,
    world: World,
    /// What that took.
    whole: Vec<Action>,
}

impl Sound {
    async fn of(name: &str) -> Self {
        let (_, text) = INVENTORIES.into_iter().find(|(known, _)| *known == name).unwrap();
        let inventory = read(text);
        let fake = Fake::from(World::of(&inventory));
        let whole = well(&fake, &inventory, name).await;
        Self { inventory, world: fake.with(|world| world.clone()), whole }
    }

    fn drifted(&self, drifts: &[Drift]) -> Fake {
        let mut world = self.world.clone();
        drifts.iter().for_each(|drift| drift.apply(&mut world, &self.whole));
        Fake::from(world)
    }

    /// Every drift that takes a repair, and not that of another one.
    async fn drifts(&self) -> Vec<Drift> {
        let (mut drifts, mut states, mut repairs) = (Vec::new(), Vec::new(), vec![Vec::new()]);
        for &kind in KINDS {
            for at in 0..THINGS {
                let drift = Drift { kind, at };
                let fake = self.drifted(&[drift]);
                let state = fake.with(state);
                // The kind has no more things, or the thing is as it was.
                if states.contains(&state) {
                    continue;
                }
                states.push(state);
                let repair = well(&fake, &self.inventory, &format!("{drift:?}")).await;
                if !repairs.contains(&repair) {
                    repairs.push(repair);
                    drifts.push(drift);
                }
            }
        }
        drifts
    }

    /// Every death of the repair of these drifts; how many.
    async fn dies_anywhere(&self, drifts: &[Drift]) -> usize {
        let fake = self.drifted(drifts);
        let actions = well(&fake, &self.inventory, &format!("{drifts:?}")).await;
        let repair = Repair { drifts, state: fake.with(state), actions };
        let mut deaths = 0;
        for at in 0..repair.actions.len() {
            assert!(self.recovers(&repair, Death { at, way: None }).await, "{drifts:?} has no action {at}");
            let mut ways = 0;
            while self.recovers(&repair, Death { at, way: Some(ways) }).await {
                ways += 1;
            }
            deaths += 1 + ways;
        }
        deaths
    }

    /// After a death in a repair the next run ends where the repair ends that was never killed, and the one after it rests.
    async fn recovers(&self, repair: &Repair<'_>, death: Death) -> bool {
        let fake = self.drifted(repair.drifts);
        let Some(action) = kill(&fake, &self.inventory, death).await else { return false };
        let when = format!("{}: {:?}, after dying at `{action}` ({death:?})", self.inventory.name, repair.drifts);
        let mut done = fake.with(|world| world.journal.clone());
        done.extend(well(&fake, &self.inventory, &when).await);
        assert_eq!(needless(&done, &repair.actions), Vec::<String>::new(), "{when}: something healthy was restarted");
        assert_eq!(told(&well(&fake, &self.inventory, &when).await), Vec::<String>::new(), "{when}: the run after the repair was not idle");
        fake.with(|world| same(&repair.state, &state(world)).unwrap_or_else(|difference| panic!("{when}: {difference}")));
        true
    }
}

/// A repair that was never killed.
struct Repair<'a> {
    drifts: &'a [Drift],
    actions: Vec<Action>,
    /// Where it ended.
    state: BTreeMap<String, String>,
}

/// What of `done` interrupts somebody at work and is not in `repair`, or not as often.
fn needless(done: &[Action], repair: &[Action]) -> Vec<String> {
    let mut repair: Vec<&Action> = repair.iter().collect();
    let interrupts = |action: &&Action| {
        let Action::Host(_, action) = action else { return false };
        let started = matches!(action, HostAction::Unit { change: UnitChange::Start | UnitChange::Restart, .. });
        started || matches!(action, HostAction::Release(ReleaseAction::Upgrade { .. }))
    };
    let beyond = |action: &&Action| match repair.iter().position(|known| alike(known, action)) {
        Some(at) => {
            repair.swap_remove(at);
            false
        }
        None => true,
    };
    done.iter().filter(interrupts).filter(beyond).map(ToString::to_string).collect()
}

/// Whether they do the same. A death costs revisions, and an upgrade says which one it makes.
fn alike(one: &Action, other: &Action) -> bool {
    let upgrade = |action: &Action| match action {
        Action::Host(_, HostAction::Release(ReleaseAction::Upgrade { release, .. })) => Some(release.clone()),
        _ => None,
    };
    one == other || upgrade(one).is_some_and(|release| upgrade(other) == Some(release))
}

async fn dies_in_any_repair(name: &str) {
    let sound = Sound::of(name).await;
    let drifts = sound.drifts().await;
    // Those of one kind stand side by side, and go into different handfuls.
    let handfuls = drifts.len().div_ceil(HANDFUL);
    let mut deaths = 0;
    for first in 0..handfuls {
        let handful: Vec<Drift> = drifts.iter().skip(first).step_by(handfuls).copied().collect();
        deaths += sound.dies_anywhere(&handful).await;
    }
    println!("{name}: {} drifts, {deaths} deaths", drifts.len());
    assert!(deaths > drifts.len(), "{name}: no repair was ever left half done");
}

#[tokio::test]
async fn a_death_in_any_repair_costs_a_shop_nothing() {
    dies_in_any_repair("shop").await;
}

#[tokio::test]
async fn a_death_in_any_repair_costs_a_walled_cluster_nothing() {
    dies_in_any_repair("walled").await;
}

#[tokio::test]
async fn a_death_in_any_repair_costs_three_hosts_nothing() {
    dies_in_any_repair("agents").await;
}
