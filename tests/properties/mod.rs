//! Any inventory, any world: one run ends at a fixed point, and undoes nothing on its way there.

pub mod drift;
mod shape;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use bedplate::engine::converge;
use bedplate::inventory::Inventory;
use bedplate::model::{Action, ApiAction, Event, HostAction, HostId, Manifest, ReleaseAction, Scope, Sink, UnitChange};
use bedplate::steps::flow;
use drift::{Drift, drifts};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use shape::shapes;

use crate::fake::{Fake, World};
use crate::state::{same, state};
use crate::{Death, kill, read, server, told, well};

/// How many worlds are tried, unless `PROPTEST_CASES` says otherwise: some seconds' worth.
const WORLDS: u32 = 24;

/// What was there before anything drifted.
#[derive(Clone, Debug)]
enum Age {
    /// Nothing.
    Bare,
    /// What a run left that died at an action, or in the middle of it.
    Died(Death),
    /// What a run left that ended well.
    Converged,
}

fn ages() -> impl Strategy<Value = Age> {
    let died = (0..30usize, proptest::option::of(0..4usize)).prop_map(|(at, way)| Age::Died(Death { at, way }));
    prop_oneof![1 => Just(Age::Bare), 2 => died, 4 => Just(Age::Converged)]
}

#[test]
fn one_run_ends_at_a_fixed_point_and_undoes_nothing() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    let config = Config { cases: asked.unwrap_or(WORLDS), failure_persistence: None, max_shrink_iters: 100, ..Config::default() };
    let worlds = (shapes(), ages(), drifts());
    let tried = TestRunner::new(config).run(&worlds, |(shape, age, drifts)| {
        let text = shape.to_string();
        runtime.block_on(converges(&read(&text), &age, &drifts)).map_err(|why| TestCaseError::fail(format!("{why}\n{text}")))
    });
    tried.unwrap_or_else(|failure| panic!("{failure}"));
}

async fn converges(inventory: &Inventory, age: &Age, drifts: &[Drift]) -> Result<(), String> {
    let never_drifted = Fake::from(World::of(inventory));
    let whole = well(&never_drifted, inventory, "a bare host").await;
    let fake = Fake::from(World::of(inventory));
    match age {
        Age::Bare => {}
        Age::Died(death) => drop(kill(&fake, inventory, *death).await),
        Age::Converged => drop(well(&fake, inventory, "a bare host").await),
    }
    fake.with(|world| drifts.iter().for_each(|drift| drift.apply(world, &whole)));
    let performed = watched(&fake, inventory).await?;
    fake.with(|world| kept(&performed, world))?;
    if matches!(age, Age::Converged) && !drifts.iter().any(Drift::concerns_k3s) {
        let restart =
            |action: &&Action| matches!(action, Action::Host(_, HostAction::Unit { change: UnitChange::Start | UnitChange::Restart, .. }));
        nothing("was restarted though it was healthy", performed.iter().filter(restart))?;
    }
    let again = well(&fake, inventory, "the second run").await;
    nothing("was done by the second run", again.iter())?;
    if drifts.iter().any(Drift::stays) { Ok(()) } else { fake.with(|world| same(&never_drifted.with(state), &state(world))) }
}

fn nothing<'a>(what: &str, actions: impl Iterator<Item = &'a Action>) -> Result<(), String> {
    let actions: Vec<String> = actions.map(ToString::to_string).collect();
    if actions.is_empty() { Ok(()) } else { Err(format!("{what}: {}", actions.join(", "))) }
}

/// One run: nothing twice, and no step again once a later one of its lane has acted. Two go back: promotion, which what is served decides,
/// and responders, which go once what they held up has come.
async fn watched(fake: &Fake, inventory: &Inventory) -> Result<Vec<Action>, String> {
    let steps = flow(inventory);
    let places: BTreeMap<(Scope, String), usize> =
        steps.iter().enumerate().map(|(place, step)| ((step.scope(), step.id().to_string()), place)).collect();
    let acted: Arc<Mutex<Vec<(Scope, String)>>> = Arc::default();
    let seen = Arc::clone(&acted);
    let sink: Sink = Arc::new(move |event| {
        if let Event::Acting { scope, step, .. } = event {
            seen.lock().unwrap().push((scope, step.to_string()));
        }
    });
    fake.with(|world| world.journal.clear());
    converge(fake, &steps, &server(inventory), &sink).await.map_err(|failure| failure.to_string())?;
    let mut furthest: BTreeMap<Option<HostId>, usize> = BTreeMap::new();
    for (scope, step) in acted.lock().unwrap().iter() {
        let place = places[&(scope.clone(), step.clone())];
        let lane = if let Scope::Host(host) = scope { Some(host.clone()).filter(|host| *host != server(inventory)) } else { None };
        let furthest = furthest.entry(lane).or_default();
        let goes_back = ["release/", "manifest/", "responder"].iter().any(|kind| step.starts_with(kind));
        if place < *furthest && !goes_back {
            return Err(format!("{step} acted again after a later step"));
        }
        *furthest = place.max(*furthest);
    }
    let performed = fake.with(|world| world.journal.clone());
    match performed.iter().enumerate().find(|(at, action)| performed[..*at].contains(action)) {
        Some((_, twice)) => Err(format!("{twice} was done twice: {:?}", told(&performed))),
        None => Ok(performed),
    }
}

/// Whether it ends by itself, or with what does.
fn passes(manifest: &Manifest) -> bool {
    manifest.object().kind == "Job" || manifest.body()["metadata"].get("ownerReferences").is_some()
}

/// What was made must be there in the end, and what was put up for a while must not.
fn kept(performed: &[Action], world: &mut World) -> Result<(), String> {
    let lost = performed.iter().filter(|action| !match action {
        Action::Host(host, action) => {
            let host = &world.hosts[host];
            match action {
                HostAction::WriteFile(file) => host.files.contains_key(&file.path),
                HostAction::MakeFolder { path, .. } | HostAction::Link { path, .. } => host.files.contains_key(path),
                HostAction::Install(install) => host.files.contains_key(&install.path),
                HostAction::Import(image) => image.names.iter().all(|name| host.images.contains_key(name)),
                HostAction::Release(ReleaseAction::Upgrade { release, .. }) => {
                    world.api.newest(&release.namespace, &release.name).is_some_and(|newest| newest.status == "deployed")
                }
                _ => true,
            }
        }
        Action::Api(ApiAction::Apply(manifest)) => world.api.objects.contains_key(manifest.object()) != passes(manifest),
        Action::Api(ApiAction::PutSecret(secret) | ApiAction::MakeUp(secret, _)) => {
            world.api.secrets.contains_key(&(secret.namespace.clone(), secret.name.clone()))
        }
        Action::Api(ApiAction::CreateKeyPair { namespace, name, .. }) => world.api.secrets.contains_key(&(namespace.clone(), name.clone())),
        Action::Api(ApiAction::CreateCertificate(made)) => world.api.secrets.contains_key(&(made.namespace.clone(), made.name.clone())),
        _ => true,
    });
    nothing("was undone by a later step", lost)
}
