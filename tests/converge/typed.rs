//! What somebody typed is written where nothing was, or where another was asked for; else what is there stays.

use bedplate::inventory::{Inventory, Typed};
use bedplate::model::Secret;

use super::fake::{Fake, World};
use super::{read, told, well};

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
    assert_eq!(told(&well(&fake, &needless, "needless").await), Vec::<String>::new());

    let anew = typing(|key| (key == "PAY_KEY").then(|| Typed::Anew(Secret::new("second"))));
    assert_eq!(told(&well(&fake, &anew, "anew").await), ["write secret shop/app"]);
    assert_eq!((lies(&fake, "MAIL_KEY"), lies(&fake, "PAY_KEY")), (Secret::new("first-MAIL_KEY"), Secret::new("second")));
}
