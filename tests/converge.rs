//! The whole flow on the fake host: it converges, a second run does nothing, and a death before or in the middle of any action costs
//! nothing, on a bare host and where something drifted.

#[path = "converge/cut.rs"]
mod cut;
#[path = "converge/encryption.rs"]
mod encryption;
mod fake;
#[path = "converge/half.rs"]
mod half;
#[path = "converge/password.rs"]
mod password;
#[path = "properties/mod.rs"]
mod properties;
#[path = "converge/prune.rs"]
mod prune;
#[path = "converge/repair.rs"]
mod repair;
#[path = "converge/rotate.rs"]
mod rotate;
#[path = "converge/state.rs"]
mod state;
#[path = "converge/typed.rs"]
mod typed;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bedplate::engine::{Verdict, converge, survey};
use bedplate::inventory::{Inventory, Tls};
use bedplate::model::{Action, Event, Failure, HostId, JWT_PRIVATE, Secret, Sink};
use bedplate::playbook;
use bedplate::steps::{diagnosis, flow, probe};
use fake::{Fake, Fate, World};
use half::half;
use state::state;

/// Of every shape that the flow knows.
const INVENTORIES: [(&str, &str); 7] = [
    ("shop", include_str!("cases/inventories/shop.toml")),
    ("mirror", include_str!("cases/inventories/mirror.toml")),
    ("bare", include_str!("cases/inventories/bare.toml")),
    ("hello", include_str!("cases/inventories/hello.toml")),
    ("agents", include_str!("cases/inventories/agents.toml")),
    ("sites", include_str!("cases/inventories/sites.toml")),
    ("walled", include_str!("cases/inventories/walled.toml")),
];

fn read(text: &str) -> Inventory {
    let mut inventory: Inventory = toml::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    for (name, parameters) in inventory.playbooks.clone() {
        playbook::add(&mut inventory, &name, &parameters, Path::new("/nowhere")).unwrap_or_else(|wrong| panic!("{wrong:?}"));
    }
    inventory
}

fn server(inventory: &Inventory) -> HostId {
    HostId(inventory.server().unwrap().name.clone())
}

fn silent() -> Sink {
    Arc::new(|_: Event| {})
}

/// One run. What it performed, in order.
async fn run(fake: &Fake, inventory: &Inventory) -> Result<Vec<Action>, Failure> {
    fake.with(|world| world.journal.clear());
    let outcome = converge(fake, &flow(inventory), &server(inventory), &silent()).await?;
    if let Some(failure) = outcome.lost.first() {
        return Err(failure.as_ref().clone());
    }
    Ok(fake.with(|world| world.journal.clone()))
}

/// One run that must end well.
async fn well(fake: &Fake, inventory: &Inventory, when: &str) -> Vec<Action> {
    run(fake, inventory).await.unwrap_or_else(|failure| panic!("{when}: {failure}"))
}

fn told(actions: &[Action]) -> Vec<String> {
    actions.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn a_bare_host_converges_and_then_rests() {
    for (name, text) in INVENTORIES {
        let inventory = read(text);
        let fake = Fake::from(World::of(&inventory));
        let first = well(&fake, &inventory, name).await;
        assert!(first.len() > 5, "{name}: {:?} can't be the whole flow", told(&first));
        if name == "shop" {
            let issued = fake.with(|world| world.api.issued.iter().map(|(_, issuer)| issuer.clone()).collect::<Vec<_>>());
            assert_eq!(issued, ["letsencrypt-staging", "letsencrypt-production"]);
        }
        let again = well(&fake, &inventory, name).await;
        assert_eq!(told(&again), Vec::<String>::new(), "{name}");
    }
}

/// The diagnosis finds fault with nothing that a run has left.
#[tokio::test]
async fn nothing_is_stuck_where_all_converged() {
    for (name, text) in INVENTORIES {
        let inventory = read(text);
        let fake = Fake::from(World::of(&inventory));
        well(&fake, &inventory, name).await;
        let steps = diagnosis(&inventory);
        let survey = survey(&fake, &steps, &server(&inventory), &mut bedplate::model::World::default(), &silent()).await;
        assert_eq!(survey.verdicts.len(), inventory.sites.iter().filter(|site| site.tls == Tls::Acme).count(), "{name}");
        assert!(survey.verdicts.iter().all(Verdict::converged), "{name}: {:?}", survey.verdicts);
    }
}

/// What is put up to try the way of challenges goes again, also when the one who did it is gone; nothing is issued for it.
#[tokio::test]
async fn a_probe_leaves_nothing() {
    let inventory = read(INVENTORIES[0].1);
    let fake = Fake::from(World::of(&inventory));
    well(&fake, &inventory, "before").await;
    let before = fake.with(|world| (world.api.objects.clone(), world.api.issued.len()));
    let [tries, over] = probe(&inventory);
    let jobs = || fake.with(|world| world.api.objects.keys().filter(|object| object.kind == "Job").count());
    converge(&fake, &tries, &server(&inventory), &silent()).await.unwrap();
    assert_eq!(jobs(), 2);
    converge(&fake, &over, &server(&inventory), &silent()).await.unwrap();
    assert_eq!(fake.with(|world| (world.api.objects.clone(), world.api.issued.len())), before);
    converge(&fake, &tries, &server(&inventory), &silent()).await.unwrap();
    well(&fake, &inventory, "after a death").await;
    assert_eq!(jobs(), 0);
}

/// An issuance that failed is asked for anew once, and where it is served from then on, no more.
#[tokio::test]
async fn a_failed_certificate_is_asked_for_anew() {
    let inventory = read(INVENTORIES[0].1);
    let fake = Fake::from(World::of(&inventory));
    well(&fake, &inventory, "before").await;
    let fail = |ago: i64, times: i64| {
        let at = jiff::Timestamp::now().as_second() - ago;
        let at = jiff::Timestamp::from_second(at).unwrap().to_string();
        fake.with(|world| {
            let certificate = world.api.objects.iter_mut().find(|(object, _)| object.kind == "Certificate").unwrap().1;
            certificate["status"] = serde_json::json!({ "lastFailureTime": at, "failedIssuanceAttempts": times, "conditions": [
                { "type": "Ready", "status": "False", "message": "Issuing certificate as Secret does not exist" },
                { "type": "Issuing", "status": "False", "reason": "Failed", "message": "order is in \"invalid\" state" }] });
        });
    };
    fail(600, 1);
    assert_eq!(told(&well(&fake, &inventory, "failed").await), ["have certificate shop/shop-tls issued anew"]);
    assert_eq!(told(&well(&fake, &inventory, "after").await), Vec::<String>::new());
    fail(600, 4);
    let failure = run(&fake, &inventory).await.unwrap_err().to_string();
    assert!(failure.contains("a CA forgives five failures"), "{failure}");
    assert!(fake.with(|world| world.journal.is_empty()));
}

/// Where a run is killed: before its action number `at`, counted from 0, or in the middle of it, in one of the ways that its verb knows.
#[derive(Clone, Copy, Debug)]
struct Death {
    at: usize,
    way: Option<usize>,
}

/// Puts an end to a run. Returns the action at which it died; none: there is no such action, or its verb knows no such way.
async fn kill(fake: &Fake, inventory: &Inventory, death: Death) -> Option<Action> {
    let died = Arc::new(std::sync::Mutex::new(None));
    let at = Arc::clone(&died);
    fake.with(|world| {
        world.reaper = Some(Box::new(move |world: &mut World, action: &Action| {
            // Nothing is done any more by one who is dead, on other hosts neither.
            if at.lock().unwrap().is_some() {
                return Fate::Dies;
            }
            if world.journal.len() != death.at || death.way.is_some_and(|way| !half(world, action, way)) {
                return Fate::Lives;
            }
            *at.lock().unwrap() = Some(action.clone());
            Fate::Dies
        }));
    });
    let ended = run(fake, inventory).await;
    fake.with(|world| world.reaper = None);
    let died = died.lock().unwrap().take();
    assert_eq!(ended.is_err(), died.is_some(), "{:?}", ended.map(|actions| told(&actions)));
    died
}

/// Everything that must outlive whatever happens: private keys, by their Secret.
fn keys(fake: &Fake) -> BTreeMap<(String, String), Secret> {
    fake.with(|world| {
        let private =
            |(name, live): (&(String, String), &bedplate::model::LiveSecret)| Some((name.clone(), live.data.get(JWT_PRIVATE)?.clone()));
        world.api.secrets.iter().filter_map(private).collect()
    })
}

/// After a death the next run ends where one that was never killed ends, and the one after it rests.
async fn recovers(inventory: &Inventory, death: Death, never_killed: &BTreeMap<String, String>) -> bool {
    let fake = Fake::from(World::of(inventory));
    let Some(action) = kill(&fake, inventory, death).await else { return false };
    let when = format!("{}: after dying at `{action}` ({death:?})", inventory.name);
    let (before, issued) = (keys(&fake), fake.with(|world| world.api.issued.len()));
    well(&fake, inventory, &when).await;
    let after = keys(&fake);
    assert!(before.iter().all(|(name, key)| after.get(name) == Some(key)), "{when}: a private key changed");
    let late = fake.with(|world| world.api.issued.split_off(issued));
    assert!(!back_to_staging(&fake, &late), "{when}: issued afterwards: {late:?}");
    assert_eq!(told(&well(&fake, inventory, &when).await), Vec::<String>::new(), "{when}: the run after the repair was not idle");
    fake.with(|world| state::same(never_killed, &state(world)).unwrap_or_else(|difference| panic!("{when}: {difference}")));
    true
}

/// Whether a staging certificate was issued for a Secret that had held a production one.
fn back_to_staging(fake: &Fake, late: &[(String, String)]) -> bool {
    let earlier = fake.with(|world| world.api.issued.clone());
    let production = |(_, issuer): &&(String, String)| issuer.ends_with("production");
    late.iter().enumerate().any(|(at, (secret, issuer))| {
        issuer.ends_with("staging") && earlier.iter().chain(&late[..at]).filter(production).any(|(other, _)| other == secret)
    })
}

/// Every death of a run on this inventory.
async fn dies_anywhere(name: &str) {
    let (_, text) = INVENTORIES.into_iter().find(|(known, _)| *known == name).unwrap();
    let inventory = read(text);
    let fake = Fake::from(World::of(&inventory));
    let whole = well(&fake, &inventory, name).await.len();
    let never_killed = fake.with(state);
    let mut deaths = 0;
    for at in 0..whole {
        assert!(recovers(&inventory, Death { at, way: None }, &never_killed).await, "{name} has no action {at}");
        let mut ways = 0;
        while recovers(&inventory, Death { at, way: Some(ways) }, &never_killed).await {
            ways += 1;
        }
        deaths += 1 + ways;
    }
    println!("{name}: {whole} actions, {deaths} deaths");
    assert!(deaths > whole, "{name}: no action was ever left half done");
}

#[tokio::test]
async fn a_death_at_any_action_costs_a_shop_and_its_sites_nothing() {
    dies_anywhere("sites").await;
}

#[tokio::test]
async fn a_death_at_any_action_costs_a_mirrored_lab_nothing() {
    dies_anywhere("mirror").await;
}

#[tokio::test]
async fn a_death_at_any_action_costs_a_bare_cluster_nothing() {
    dies_anywhere("bare").await;
}

#[tokio::test]
async fn a_death_at_any_action_costs_a_playbook_nothing() {
    dies_anywhere("hello").await;
}

#[tokio::test]
async fn a_death_at_any_action_costs_three_hosts_nothing() {
    dies_anywhere("agents").await;
}

#[tokio::test]
async fn a_death_at_any_action_costs_a_walled_cluster_nothing() {
    dies_anywhere("walled").await;
}

#[tokio::test]
async fn a_survey_changes_nothing() {
    let inventory = read(INVENTORIES[0].1);
    let fake = Fake::from(World::of(&inventory));
    let survey = survey(&fake, &flow(&inventory), &server(&inventory), &mut bedplate::model::World::default(), &silent()).await;
    assert!(survey.verdicts.iter().any(|verdict| !verdict.converged()));
    assert!(fake.with(|world| world.journal.is_empty()));
}
