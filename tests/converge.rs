//! The whole flow on the fake host: it converges, a second run does nothing, and a death before any action costs nothing.

mod fake;

use std::sync::Arc;

use bedplate::engine::{converge, survey};
use bedplate::inventory::Inventory;
use bedplate::model::{Event, Failure, HostId, Sink, World};
use bedplate::steps::flow;
use fake::Fake;

fn shop() -> Inventory {
    toml::from_str(include_str!("cases/inventories/shop.toml")).unwrap()
}

fn silent() -> Sink {
    Arc::new(|_: Event| {})
}

async fn run(fake: &Fake, fuel: Option<usize>) -> Result<usize, Failure> {
    let inventory = shop();
    fake.with(|world| world.fuel = fuel);
    let server = HostId(inventory.hosts[0].name.clone());
    converge(fake, &flow(&inventory), &server, &silent()).await.map(|outcome| outcome.performed)
}

#[tokio::test]
async fn a_bare_host_converges_and_then_rests() {
    let fake = Fake::default();
    let first = run(&fake, None).await.unwrap_or_else(|failure| panic!("{failure}"));
    assert!(first > 10, "{first} actions can't be the whole flow");
    assert_eq!(fake.with(|world| world.api.issued.clone()), ["letsencrypt-staging", "letsencrypt-production"]);
    let again = run(&fake, None).await.unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(again, 0, "the second run did {:?}", fake.with(|world| world.journal.split_off(first)));
}

#[tokio::test]
async fn a_death_before_any_action_costs_nothing() {
    let whole = {
        let fake = Fake::default();
        run(&fake, None).await.unwrap_or_else(|failure| panic!("{failure}"))
    };
    for fuel in 0..whole {
        let fake = Fake::default();
        let died = run(&fake, Some(fuel)).await.expect_err("it should have died");
        assert_eq!(died.seen, "killed", "{died}");
        let key = fake.with(|world| world.api.secrets.get(&("shop".into(), "jwt-keys".into())).cloned());
        run(&fake, None).await.unwrap_or_else(|failure| panic!("after dying at action {fuel}: {failure}"));
        fake.with(|world| {
            if let Some(key) = key {
                assert_eq!(world.api.secrets[&("shop".into(), "jwt-keys".into())], key, "the key changed after dying at action {fuel}");
            }
            assert_eq!(world.api.issued, ["letsencrypt-staging", "letsencrypt-production"], "after dying at action {fuel}");
        });
        assert_eq!(run(&fake, None).await.map_err(|failure| failure.to_string()), Ok(0));
    }
}

#[tokio::test]
async fn a_survey_changes_nothing() {
    let fake = Fake::default();
    let inventory = shop();
    let server = HostId(inventory.hosts[0].name.clone());
    let survey = survey(&fake, &flow(&inventory), &server, &mut World::default(), &silent()).await;
    assert!(survey.verdicts.iter().any(|verdict| !verdict.converged()));
    assert!(fake.with(|world| world.journal.is_empty()));
}
