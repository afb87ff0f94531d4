//! An application that left its inventory goes by consent, wherever the run that removes it is killed.

use bedplate::engine::converge;
use bedplate::inventory::{Consent, Inventory};
use bedplate::model::MANAGED_BY;
use bedplate::steps::{bounded, flow};

use super::fake::{Fake, World};
use super::{Death, INVENTORIES, kill, read, server, silent, told, well};

/// The shop, and what is left of its inventory without the application.
fn inventories() -> (Inventory, Inventory) {
    let whole = read(INVENTORIES[0].1);
    let mut less = whole.clone();
    less.jwt_keys.clear();
    less.secrets.clear();
    less.releases.clear();
    less.sites.clear();
    less.images.clear();
    (whole, less)
}

/// Everything of ours but namespaces.
fn ours(fake: &Fake) -> usize {
    fake.with(|world| {
        let labelled = |object: &serde_json::Value| object["metadata"]["labels"][MANAGED_BY.0] == MANAGED_BY.1;
        let objects = world.api.objects.iter().filter(|(object, body)| object.kind != "Namespace" && labelled(body)).count();
        let secrets = world.api.secrets.values().filter(|live| live.labels.contains_key(MANAGED_BY.0)).count();
        objects + secrets + world.api.releases.len()
    })
}

#[tokio::test]
async fn what_left_stays_without_consent_and_goes_with_it() {
    let (whole, mut less) = inventories();
    let fake = Fake::from(World::of(&whole));
    well(&fake, &whole, "the application").await;
    assert_eq!(ours(&fake), 7, "two releases, two issuers, a policy, two Secrets");
    assert_eq!(told(&well(&fake, &less, "without consent").await), Vec::<String>::new());
    less.consents.insert(Consent::Prune);
    let bounded: Vec<_> = flow(&less).into_iter().map(|step| bounded(step, &[])).collect();
    let outcome = converge(&fake, &bounded, &server(&less), &silent()).await.unwrap();
    assert_eq!((outcome.performed, ours(&fake)), (0, 7), "what nobody was shown is removed");
    let removed = well(&fake, &less, "with consent").await.len();
    assert_eq!((removed, ours(&fake)), (7, 0));
    for at in 0..removed {
        for way in [None, Some(0)] {
            let fake = Fake::from(World::of(&whole));
            well(&fake, &whole, "the application").await;
            let Some(action) = kill(&fake, &less, Death { at, way }).await else { continue };
            let when = format!("after dying at `{action}`");
            well(&fake, &less, &when).await;
            assert_eq!((told(&well(&fake, &less, &when).await), ours(&fake)), (Vec::new(), 0), "{when}");
        }
    }
}
