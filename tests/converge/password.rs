//! A database's password rotates wherever the run that rotates it is killed: at every moment somebody's password logs in that the cluster
//! holds, and in the end all hold the new one.

use std::collections::BTreeMap;

use bedplate::engine::converge;
use bedplate::inventory::Inventory;
use bedplate::model::{Action, Failure, LiveSecret, NEW_PASSWORD, OLD_PASSWORD, REVISION, Restart, Secret};
use bedplate::steps::rotate_database;
use serde_json::json;

use super::fake::{Fake, Fate, World};
use super::{read, server, silent, told, well};

const INVENTORY: &str = include_str!("../cases/inventories/databases.toml");

/// A converged cluster with the server and what reads its password.
async fn shop(inventory: &Inventory) -> Fake {
    let fake = Fake::from(World::of(inventory));
    let mut bare = inventory.clone();
    bare.databases.clear();
    well(&fake, &bare, "the cluster").await;
    fake.with(|world| {
        let api = &mut world.api;
        let labels = json!({ "app": "db" });
        api.put(json!({ "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": { "name": "db", "namespace": "shop" },
            "spec": { "selector": { "matchLabels": labels } } }));
        api.put(json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "db-0", "namespace": "shop", "labels": labels },
            "status": { "podIP": "10.42.0.7", "conditions": [{ "type": "Ready", "status": "True" }] } }));
        for name in ["web", "jobs"] {
            api.put(
                json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": name, "namespace": "shop" }, "spec": {} }),
            );
        }
        let data = [("password".to_owned(), Secret::new("first")), ("beside".to_owned(), Secret::new("stays"))].into();
        let live = LiveSecret {
            resource_version: "1".into(),
            kind: "Opaque".into(),
            created: 0,
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
            data,
        };
        api.secrets.insert(("shop".into(), "db-password".into()), live);
        api.passwords.insert("db-0".into(), Secret::new("first"));
        api.reconcile();
    });
    fake
}

/// `bedplate rotate database db`. What it performed.
async fn rotate(fake: &Fake, inventory: &Inventory) -> Result<Vec<Action>, Failure> {
    fake.with(|world| world.journal.clear());
    for step in rotate_database(&inventory.databases[0]).chunks(1) {
        converge(fake, step, &server(inventory), &silent()).await?;
    }
    Ok(fake.with(|world| world.journal.clone()))
}

fn value(world: &World, secret: &str, key: &str) -> Option<Secret> {
    world.api.secrets.get(&("shop".to_owned(), secret.to_owned())).and_then(|live| live.data.get(key).cloned())
}

/// Whether a password that the cluster holds logs in.
fn known(world: &World) -> bool {
    let held = [("db-password", "password"), ("db-rotation", OLD_PASSWORD), ("db-rotation", NEW_PASSWORD)];
    held.into_iter().any(|(secret, key)| value(world, secret, key).as_ref() == world.api.passwords.get("db-0"))
}

fn ended_well(fake: &Fake, when: &str) -> Secret {
    fake.with(|world| {
        let now = value(world, "db-password", "password").unwrap();
        assert!(world.api.passwords["db-0"] == now && now != Secret::new("first"), "{when}: the server has another password");
        assert!(value(world, "db-password", "beside") == Some(Secret::new("stays")), "{when}: what stood beside it is gone");
        assert!(!world.api.secrets.contains_key(&("shop".to_owned(), "db-rotation".to_owned())), "{when}: the rotation is there");
        let revision = &world.api.secrets[&("shop".to_owned(), "db-password".to_owned())].annotations[REVISION];
        for reader in world.api.objects.iter().filter(|(object, _)| object.kind == "Deployment" && object.namespace == "shop") {
            let restart = Restart { workload: reader.0.clone(), reads: "db-password".into(), revision: revision.clone() };
            assert!(restart.is_told(reader.1), "{when}: {} was not restarted", reader.0);
        }
        now
    })
}

#[tokio::test]
async fn a_password_rotates_wherever_the_run_is_killed() {
    let inventory = read(INVENTORY);
    let fake = shop(&inventory).await;
    let whole = rotate(&fake, &inventory).await.unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(
        told(&whole),
        [
            "make a password and keep it beside the old one in secret shop/db-rotation",
            "change the password of shop in PostgreSQL of pod shop/db-0",
            "write password of secret shop/db-password",
            "restart deployment shop/web",
            "restart deployment shop/jobs",
            "delete secret shop/db-rotation",
        ]
    );
    ended_well(&fake, "never killed");
    for at in 0..whole.len() {
        let fake = shop(&inventory).await;
        fake.with(|world| {
            world.reaper =
                Some(Box::new(move |world: &mut World, _: &Action| if world.journal.len() == at { Fate::Dies } else { Fate::Lives }));
        });
        let when = format!("killed before `{}`", whole[at]);
        assert!(rotate(&fake, &inventory).await.is_err(), "{when}: it lived");
        let made = fake.with(|world| {
            world.reaper = None;
            assert!(known(world), "{when}: nobody knows the password that logs in");
            value(world, "db-rotation", NEW_PASSWORD)
        });
        let again = rotate(&fake, &inventory).await.unwrap_or_else(|failure| panic!("{when}: {failure}"));
        assert_eq!(told(&again), told(&whole[at..]), "{when}");
        let now = ended_well(&fake, &when);
        assert!(made.is_none_or(|made| made == now), "{when}: another password was made");
    }
}

/// Half a rotation is told by the flow, and stops nothing of it that comes before.
#[tokio::test]
async fn half_a_rotation_is_told() {
    let inventory = read(INVENTORY);
    let fake = shop(&inventory).await;
    fake.with(|world| {
        world.reaper = Some(Box::new(|world: &mut World, _: &Action| if world.journal.len() == 1 { Fate::Dies } else { Fate::Lives }));
    });
    assert!(rotate(&fake, &inventory).await.is_err());
    fake.with(|world| world.reaper = None);
    let failure = super::run(&fake, &inventory).await.unwrap_err().to_string();
    assert!(failure.contains("`bedplate rotate database db` goes on with it"), "{failure}");
    rotate(&fake, &inventory).await.unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(told(&well(&fake, &inventory, "after it").await), Vec::<String>::new());
}
