//! One key follows another: no verifier ever lacks a key that signs, wherever the runs are killed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use bedplate::cli::Begun;
use bedplate::engine::{converge, survey};
use bedplate::inventory::Inventory;
use bedplate::jwk::PublicKey;
use bedplate::model::{Action, ApiAction, Failure, JWT_NEXT, JWT_OLD, JWT_PUBLIC, ObjectRef, WITHDRAWN_AFTER};
use bedplate::steps::{Leave, rotate};
use serde_json::json;

use super::fake::{Fake, Fate, World};
use super::{read, server, silent, told, well};

const READERS: [(&str, &str); 3] = [("shop", "auth"), ("shop", "web"), ("blog", "comments")];

/// A converged host on which one workload signs and two verify.
pub async fn converged(text: &str) -> (Fake, Inventory) {
    let inventory = read(text);
    let fake = Fake::from(World::of(&inventory));
    well(&fake, &inventory, "before").await;
    fake.with(|world| {
        for (namespace, name) in READERS {
            world.api.put(json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "namespace": namespace, "name": name },
                "spec": { "replicas": 1, "template": { "metadata": { "labels": { "app": name } } } } }));
        }
        world.api.reconcile();
    });
    (fake, inventory)
}

fn data(world: &World, key: &str) -> Option<Vec<u8>> {
    let live = &world.api.secrets[&("shop".to_owned(), "jwt-keys".to_owned())];
    Some(live.data.get(key)?.expose().to_vec())
}

pub fn signs(world: &World) -> String {
    PublicKey::of_pem(&data(world, JWT_PUBLIC).unwrap()).unwrap().kid()
}

/// The keys that a verifier reads when it starts now.
fn published(world: &World, namespace: &str) -> BTreeSet<String> {
    let config = &world.api.objects[&ObjectRef::new("v1", "ConfigMap", namespace, "jwt-public")];
    let jwks: serde_json::Value = serde_json::from_str(config["data"]["jwks.json"].as_str().unwrap()).unwrap();
    jwks["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

/// What the pods know since they were started, and whether one ever lacked a key.
#[derive(Default)]
struct Pods {
    known: BTreeMap<String, BTreeSet<String>>,
    signing: String,
    performed: usize,
}

impl Pods {
    fn started(world: &World) -> Self {
        let known = READERS[1..].iter().map(|(namespace, name)| ((*name).to_owned(), published(world, namespace))).collect();
        Self { known, signing: signs(world), performed: 0 }
    }

    /// Before an action is performed: kubelet may have shown the signer its new key already.
    fn see(&mut self, world: &World, action: &Action) {
        for kid in [&self.signing, &signs(world)] {
            assert!(self.known.values().all(|known| known.contains(kid)), "somebody lacks {kid} before `{action}`");
        }
        if let Action::Api(ApiAction::Restart(restart)) = action {
            match restart.workload.name.as_str() {
                "auth" => self.signing = signs(world),
                name => drop(self.known.insert(name.to_owned(), published(world, &restart.workload.namespace))),
            }
        }
        self.performed += 1;
    }
}

/// One run of `rotate jwt`, killed before its action number `death`.
async fn turn(fake: &Fake, inventory: &Inventory, leave: &Leave, death: usize, pods: &Arc<Mutex<Pods>>) -> Result<(), Failure> {
    let (watched, mut lived) = (Arc::clone(pods), 0);
    fake.with(|world| {
        world.reaper = Some(Box::new(move |world: &mut World, action: &Action| {
            if lived == death {
                return Fate::Dies;
            }
            lived += 1;
            watched.lock().unwrap().see(world, action);
            Fate::Lives
        }));
    });
    let steps: Vec<_> = inventory.jwt_keys.iter().flat_map(|keys| rotate(keys, leave.clone())).collect();
    let ended = converge(fake, &steps, &server(inventory), &silent()).await;
    fake.with(|world| world.reaper = None);
    ended.map(drop)
}

#[tokio::test]
async fn a_key_follows_another_wherever_runs_are_killed() {
    let text = include_str!("../cases/inventories/split-keys.toml");
    for death in 0.. {
        let (fake, inventory) = converged(text).await;
        let first = fake.with(|world| signs(world));
        let pods = Arc::new(Mutex::new(fake.with(|world| Pods::started(world))));
        let leave = Leave::Key(first.clone());
        let died = turn(&fake, &inventory, &leave, death, &pods).await.is_err();
        turn(&fake, &inventory, &leave, usize::MAX, &pods).await.unwrap_or_else(|failure| panic!("{death}: {failure}"));
        let second = fake.with(|world| signs(world));
        assert_ne!(first, second, "{death}");
        assert!(pods.lock().unwrap().known.values().all(|known| *known == BTreeSet::from([first.clone(), second.clone()])), "{death}");
        assert_eq!(told(&well(&fake, &inventory, "held").await), Vec::<String>::new(), "{death}: it is held");

        // Tokens of the old key have ended; any run finishes, and it may be killed as well.
        fake.with(|world| {
            let live = world.api.secrets.get_mut(&("shop".to_owned(), "jwt-keys".to_owned())).unwrap();
            let until = live.annotations.get_mut(WITHDRAWN_AFTER).expect("a time");
            *until = "2020-01-01T00:00:00Z".into();
        });
        let _ = turn(&fake, &inventory, &Leave::None, death, &pods).await;
        well(&fake, &inventory, "finished").await;
        fake.with(|world| {
            assert_eq!((signs(world), data(world, JWT_OLD), data(world, JWT_NEXT)), (second.clone(), None, None), "{death}");
            let own = BTreeSet::from([second.clone()]);
            assert_eq!((published(world, "shop"), published(world, "blog")), (own.clone(), own), "{death}");
        });
        assert_eq!(told(&well(&fake, &inventory, "after").await), Vec::<String>::new(), "{death}: the run after it was not idle");
        if !died {
            assert!(death > 8, "{death} actions can't be a whole rotation");
            break;
        }
    }
}

/// What the command's first look says of the pairs that are to be left.
async fn begun(fake: &Fake, inventory: &Inventory) -> Result<Begun, Failure> {
    let steps: Vec<_> = inventory.jwt_keys.iter().flat_map(|keys| rotate(keys, Leave::Any)).collect();
    let mut seen = bedplate::model::World::default();
    Begun::of(survey(fake, &steps, &server(inventory), &mut seen, &silent()).await.verdicts)
}

#[tokio::test]
async fn a_key_that_can_not_be_left_is_told() {
    let (fake, inventory) = converged(include_str!("../cases/inventories/split-keys.toml")).await;
    let keys = &inventory.jwt_keys[0];
    let first = fake.with(|world| signs(world));
    let begins = begun(&fake, &inventory).await.unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!((begins.leave(keys), begins.actions().len()), (Leave::Key(first.clone()), 1));
    turn(&fake, &inventory, &Leave::Key(first), 1, &Arc::new(Mutex::new(fake.with(|world| Pods::started(world))))).await.unwrap_err();
    let goes_on = begun(&fake, &inventory).await.unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!((goes_on.leave(keys), goes_on.actions()), (Leave::None, Vec::new()), "it is under way");

    let (fake, inventory) = converged(include_str!("../cases/inventories/split-keys.toml")).await;
    let comments = ObjectRef::new("apps/v1", "Deployment", "blog", "comments");
    fake.with(|world| world.api.delete(&comments));
    let absent = begun(&fake, &inventory).await.err().expect("a reader is absent").to_string();
    assert!(absent.contains("comments in namespace blog") && absent.contains("rotation/shop/jwt-keys"), "{absent}");
    fake.with(|world| world.host(&server(&inventory)).active_since = None);
    let unseen = begun(&fake, &inventory).await.err().expect("nothing can be seen").to_string();
    assert!(unseen.contains("k3s does not run"), "{unseen}");
}

/// Without a place for two keys the pair is switched at once, and everybody is restarted.
#[tokio::test]
async fn a_whole_pair_is_switched_at_once() {
    let (fake, inventory) = converged(include_str!("../cases/inventories/whole-keys.toml")).await;
    let first = fake.with(|world| signs(world));
    fake.with(|world| world.journal.clear());
    let steps: Vec<_> = inventory.jwt_keys.iter().flat_map(|keys| rotate(keys, Leave::Key(first.clone()))).collect();
    converge(&fake, &steps, &server(&inventory), &silent()).await.unwrap_or_else(|failure| panic!("{failure}"));
    let performed = fake.with(|world| told(&world.journal));
    let made = format!("make a P-256 key pair to follow {first} in secret shop/jwt-keys");
    let wrote = "write secret shop/jwt-keys";
    assert_eq!(performed, [made.as_str(), wrote, "restart deployment shop/auth", "restart deployment shop/web", wrote]);
    assert_ne!(fake.with(|world| signs(world)), first);
    assert_eq!(told(&well(&fake, &inventory, "after").await), Vec::<String>::new());
}

/// Who must read the next key has to be there before it is made.
#[tokio::test]
async fn nothing_begins_while_a_reader_is_not_there() {
    for (namespace, name) in READERS {
        let (fake, inventory) = converged(include_str!("../cases/inventories/split-keys.toml")).await;
        fake.with(|world| {
            world.api.objects.remove(&ObjectRef::new("apps/v1", "Deployment", namespace, name)).expect("it was there");
            world.journal.clear();
        });
        let steps: Vec<_> = inventory.jwt_keys.iter().flat_map(|keys| rotate(keys, Leave::Any)).collect();
        let failure = converge(&fake, &steps, &server(&inventory), &silent()).await.map(drop).unwrap_err().to_string();
        assert!(
            failure.contains(&format!("there is no Deployment, StatefulSet or DaemonSet {name} in namespace {namespace}")),
            "{failure}"
        );
        assert_eq!(fake.with(|world| told(&world.journal)), Vec::<String>::new());
    }
}
