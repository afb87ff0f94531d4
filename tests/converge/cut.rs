//! A line that is cut after an action has begun: it is performed, and the run never hears of it. The run goes on by itself, and does nothing twice.

use bedplate::engine::converge;
use bedplate::inventory::Inventory;
use bedplate::model::{Action, ApiAction, Step};
use bedplate::steps::{Leave, flow, rotate};

use super::fake::{Fake, Fate, World};
use super::rotate::{converged, signs};
use super::state::{same, state};
use super::{INVENTORIES, read, server, silent, told, well};

/// One run of these steps that doesn't hear of its action number `at`. What it performed.
async fn run(fake: &Fake, inventory: &Inventory, steps: &[Box<dyn Step>], at: usize) -> Vec<Action> {
    fake.with(|world| {
        world.journal.clear();
        world.reaper = Some(Box::new(move |world: &mut World, action: &Action| {
            let far = !matches!(action, Action::Operator(_));
            if world.journal.len() == at && far { Fate::Cut } else { Fate::Lives }
        }));
    });
    let ended = converge(fake, steps, &server(inventory), &silent()).await;
    fake.with(|world| world.reaper = None);
    ended.unwrap_or_else(|failure| panic!("{}: cut at {at}: {failure}", inventory.name));
    fake.with(|world| world.journal.clone())
}

/// What of `performed` is beyond `whole`. Less is done where a later action does what was cut, too, as `enable` reloads systemd.
fn beyond(performed: &[Action], whole: &[Action]) -> Vec<String> {
    let mut left = unnamed(whole);
    unnamed(performed).into_iter().filter(|done| left.iter().position(|one| one == done).map(|at| left.swap_remove(at)).is_none()).collect()
}

/// Without the end of a responder's name, which is its Job's uid.
fn unnamed(actions: &[Action]) -> Vec<String> {
    let names = told(actions);
    names.into_iter().map(|name| name.split_once("bedplate-probe-").map_or(name.clone(), |(before, _)| before.to_owned())).collect()
}

async fn cut_anywhere(name: &str, wanted: fn(&Action) -> bool) {
    let (_, text) = INVENTORIES.into_iter().find(|(known, _)| *known == name).unwrap();
    let inventory = read(text);
    let fake = Fake::from(World::of(&inventory));
    let whole = well(&fake, &inventory, name).await;
    assert!(whole.iter().any(wanted), "{name} has no such action");
    let never_cut = fake.with(state);
    for at in 0..whole.len() {
        let fake = Fake::from(World::of(&inventory));
        let performed = run(&fake, &inventory, &flow(&inventory), at).await;
        let when = format!("{name}: cut at `{}`", whole[at]);
        assert_eq!(beyond(&performed, &whole), Vec::<String>::new(), "{when}");
        fake.with(|world| same(&never_cut, &state(world)).unwrap_or_else(|difference| panic!("{when}: {difference}")));
        assert_eq!(told(&well(&fake, &inventory, &when).await), Vec::<String>::new(), "{when}");
    }
}

#[tokio::test]
async fn a_cut_at_any_action_costs_a_shop_and_its_sites_nothing() {
    cut_anywhere("sites", |action| matches!(action, Action::Api(ApiAction::CreateCertificate(_)))).await;
}

#[tokio::test]
async fn a_cut_at_any_action_costs_three_hosts_nothing() {
    cut_anywhere("agents", |action| matches!(action, Action::Host(..))).await;
}

/// Keys have random ids: what was performed is told by its verb.
fn verbs(actions: &[Action]) -> Vec<&'static str> {
    let verb = |action: &Action| match action {
        Action::Api(ApiAction::AddKeyPair { .. }) => "add",
        Action::Api(ApiAction::Restart(_)) => "restart",
        Action::Api(ApiAction::Apply(_)) => "publish",
        Action::Api(ApiAction::PutSecret(_)) => "write",
        other => panic!("{other}"),
    };
    actions.iter().map(verb).collect()
}

#[tokio::test]
async fn a_cut_at_any_action_of_a_rotation_does_nothing_twice() {
    for text in [include_str!("../cases/inventories/split-keys.toml"), include_str!("../cases/inventories/whole-keys.toml")] {
        let mut never_cut = Vec::new();
        for at in [usize::MAX].into_iter().chain(0..) {
            let (fake, inventory) = converged(text).await;
            let first = fake.with(|world| signs(world));
            let steps: Vec<_> = inventory.jwt_keys.iter().flat_map(|keys| rotate(keys, Leave::Key(first.clone()))).collect();
            let performed = run(&fake, &inventory, &steps, at).await;
            if at == usize::MAX {
                assert!(verbs(&performed).contains(&"add") && verbs(&performed).contains(&"restart"), "{:?}", told(&performed));
                never_cut = performed;
                continue;
            }
            assert_eq!(verbs(&performed), verbs(&never_cut), "cut at {at}");
            assert_ne!(fake.with(|world| signs(world)), first, "cut at {at}");
            assert_eq!(told(&well(&fake, &inventory, "after").await), Vec::<String>::new(), "cut at {at}");
            if at + 1 == never_cut.len() {
                break;
            }
        }
    }
}
