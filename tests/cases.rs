//! Golden cases: `tests/cases/<step>/<case>.toml`, answers in, verdict out. A new case needs no code.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use bedplate::inventory::{Consent, Inventory};
use bedplate::model::{Answer, HostId, Question, Scope, Step, World};
use bedplate::playbook;
use bedplate::report::verdict;
use bedplate::steps::{Leave, diagnosis, flow, probe, rotate, rotate_database};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    inventory: String,
    step: String,
    /// Of several hosts' steps of this name; the first one by default.
    #[serde(default)]
    host: Option<HostId>,
    #[serde(default)]
    base: Option<String>,
    #[serde(default)]
    consents: BTreeSet<Consent>,
    /// Of `rotate jwt`, which looks before anything begins.
    #[serde(default)]
    rotates: bool,
    answers: Vec<(Question, Answer)>,
    expect: String,
}

#[derive(Deserialize)]
struct Base {
    answers: Vec<(Question, Answer)>,
}

#[test]
fn cases() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut failures = Vec::new();
    let mut ran = 0;
    for path in files(&root) {
        ran += 1;
        if let Err(why) = run(&root, &path) {
            failures.push(format!("{}: {why}", path.strip_prefix(&root).unwrap().display()));
        }
    }
    assert!(failures.is_empty(), "{} of {ran} cases differ:\n{}", failures.len(), failures.join("\n"));
}

/// Every case; `inventories` and `bases` are what cases are made of.
fn files(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()) {
        if !folder.is_dir() || folder.ends_with("inventories") || folder.ends_with("bases") {
            continue;
        }
        found.extend(
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "toml")),
        );
    }
    found.sort();
    found
}

fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}

fn run(root: &Path, path: &Path) -> Result<(), String> {
    let case: Case = read(path)?;
    let mut inventory: Inventory = read(&root.join(format!("inventories/{}.toml", case.inventory)))?;
    for (name, parameters) in inventory.playbooks.clone() {
        playbook::add(&mut inventory, &name, &parameters, root).map_err(|wrong| format!("{wrong:?}"))?;
    }
    inventory.consents = case.consents;
    let base = match &case.base {
        Some(base) => read::<Base>(&root.join(format!("bases/{base}.toml")))?.answers,
        None => Vec::new(),
    };
    let beside = diagnosis(&inventory).into_iter().chain(probe(&inventory).into_iter().flatten());
    let rotations = inventory.databases.iter().flat_map(rotate_database);
    let steps: Vec<Box<dyn Step>> = match case.rotates {
        true => inventory.jwt_keys.iter().flat_map(|keys| rotate(keys, Leave::Any)).collect(),
        false => flow(&inventory).into_iter().chain(beside).chain(rotations).collect(),
    };
    let wanted = |step: &dyn Step| {
        step.id().to_string() == case.step && case.host.as_ref().is_none_or(|host| step.scope() == Scope::Host(host.clone()))
    };
    let step = steps.iter().find(|step| wanted(step.as_ref())).ok_or_else(|| {
        let known: Vec<_> = steps.iter().map(|step| step.id().to_string()).collect();
        format!("no step {}; there are {}", case.step, known.join(", "))
    })?;
    let server = HostId(inventory.server().ok_or("there is no server")?.name.clone());
    let host = match step.scope() {
        Scope::Host(host) => host,
        Scope::Operator | Scope::Cluster => server.clone(),
    };
    let given: BTreeMap<Question, Answer> = base.into_iter().chain(case.answers.iter().cloned()).collect();
    let mut world = World::default();
    let mut asked = BTreeSet::new();
    for _ in 0..3 {
        let open = world.open(step.questions(&world.view(&host, &server)));
        for question in open {
            let answer = given.get(&question).cloned();
            asked.insert(question.clone());
            world.learn(question.clone(), answer.unwrap_or_else(|| Answer::Unreadable(format!("the case does not say: {question:?}"))));
        }
    }
    if let Some((idle, _)) = case.answers.iter().find(|(question, _)| !asked.contains(question)) {
        return Err(format!("the step never asks {idle:?}"));
    }
    let seen = verdict(&step.plan(&world.view(&host, &server))).join("\n");
    let expect = case.expect.trim();
    if seen == expect { Ok(()) } else { Err(format!("\n--- expected\n{expect}\n--- seen\n{seen}\n")) }
}
