//! What somebody typed is written where nothing was, or where another was asked for; else what is there stays.

use bedplate::cli::lacking;
use bedplate::engine::converge;
use bedplate::inventory::{Inventory, Typed};
use bedplate::model::{Finding, Note, Secret};
use bedplate::steps::flow;

use super::fake::{Fake, World};
use super::{read, server, silent, told, well};

const INVENTORY: &str = include_str!("../cases/inventories/typed.toml");

fn typing(typed: impl Fn(&str) -> Option<Typed>) -> Inventory {
    let mut inventory = read(INVENTORY);
    let source = &mut inventory.secrets[0];
    source.typed = source.prompt.iter().filter_map(|key| Some((key.clone(), typed(key)?))).collect();
    inventory
}

fn lies(fake: &Fake, key: &str) -> Secret {
    fake.with(|world| world.api.secrets[&("shop".to_owned(), "app".to_owned())].data[key].clone())
}

/// What is told of typed values by a run that changes nothing.
async fn unused(fake: &Fake, inventory: &Inventory) -> Vec<String> {
    let outcome = converge(fake, &flow(inventory), &server(inventory), &silent()).await.unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(outcome.performed, 0);
    let own = outcome.survey.verdicts.into_iter().filter(|verdict| verdict.step.is_called("secret"));
    let notes = own.flat_map(|verdict| verdict.planned.unwrap().notes);
    notes.filter_map(|note| if let Note::Warning(Finding { what, .. }) = note { Some(what) } else { None }).collect()
}

#[tokio::test]
async fn the_live_value_wins_unless_another_is_asked_for() {
    let fake = Fake::from(World::of(&read(INVENTORY)));
    let failure = super::run(&fake, &read(INVENTORY)).await.unwrap_err().to_string();
    assert!(failure.contains("MAIL_KEY has no value yet"), "{failure}");

    well(&fake, &typing(|key| Some(Typed::Lacking(Secret::new(format!("first-{key}"))))), "typed").await;
    assert_eq!(lies(&fake, "MAIL_KEY"), Secret::new("first-MAIL_KEY"));
    assert_eq!(told(&well(&fake, &read(INVENTORY), "again").await), Vec::<String>::new());

    // It could not be seen that it is there.
    let needless = typing(|_| Some(Typed::Lacking(Secret::new("needless"))));
    assert_eq!(unused(&fake, &needless).await, ["MAIL_KEY", "PAY_KEY"].map(|key| format!("{key} of secret shop/app has a value already")));
    assert_eq!(lies(&fake, "MAIL_KEY"), Secret::new("first-MAIL_KEY"));
    let same = typing(|key| Some(Typed::Lacking(Secret::new(format!("first-{key}")))));
    assert_eq!(unused(&fake, &same).await, Vec::<String>::new());

    let anew = typing(|key| (key == "PAY_KEY").then(|| Typed::Anew(Secret::new("second"))));
    assert_eq!(told(&well(&fake, &anew, "anew").await), ["write secret shop/app"]);
    assert_eq!((lies(&fake, "MAIL_KEY"), lies(&fake, "PAY_KEY")), (Secret::new("first-MAIL_KEY"), Secret::new("second")));
}

#[tokio::test]
async fn nobody_is_asked_for_what_merely_can_not_be_seen() {
    let inventory = read(INVENTORY);
    let (fake, server) = (Fake::from(World::of(&inventory)), server(&inventory));
    let lacks = async || lacking(&inventory.secrets[0], &fake, &server).await;
    assert_eq!(lacks().await, ["MAIL_KEY", "PAY_KEY"], "a bare host has no value");
    well(&fake, &typing(|key| Some(Typed::Lacking(Secret::new(format!("first-{key}"))))), "typed").await;
    assert_eq!(lacks().await, Vec::<String>::new());
    fake.with(|world| world.host(&server).active_since = None);
    assert_eq!(lacks().await, Vec::<String>::new(), "k3s is stopped");
    well(&fake, &inventory, "k3s is started").await;
    fake.with(|world| {
        let live = world.api.secrets.get_mut(&("shop".to_owned(), "app".to_owned())).unwrap();
        live.data.remove("PAY_KEY");
    });
    assert_eq!(lacks().await, ["PAY_KEY"]);
}
