//! Keys are rotated under load: a service signs, two verify, runs are shot, and no token is refused.

mod services;

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;
use toml::Table;

use super::Context;
use super::flow::{bedplate, ended, served, unchanged};
use super::line::Slow;
use crate::bench::Bench;
use crate::run::until;
use services::{MANIFESTS, SPY};

/// Beside the project's own.
const INVENTORY: &str = "rotate.toml";
const KEYS: &str = r#"
[images]
tokens = "dist/tokens.tar"

[[jwt_keys]]
secret = "jwt-keys"
namespace = "tokens"
signer = "sign"
verifiers = ["desk", "far/gate"]
public = "jwt-public"
token_lifetime = "30s"
"#;
const ROTATE: &[&str] = &["rotate", "jwt", INVENTORY];
/// Two rollouts, of pods that linger, on a busy machine.
const RUN: Duration = Duration::from_secs(120);
/// Each run does something before it is shot, and a rotation is no more than fifteen actions.
const RUNS: usize = 30;
/// What the Secret holds, by names.
const HELD: &str =
    "k3s kubectl -n tokens get secret jwt-keys -o go-template='{{range $key, $_ := .data}}{{$key}} {{end}}{{.metadata.annotations}}'";

/// What the load has seen (`tests/rig/tokens/load.go`).
#[derive(Debug, Deserialize)]
struct Counts {
    signed: u64,
    accepted: u64,
    refused: Vec<String>,
    unreached: u64,
    keys: Vec<String>,
    late: BTreeMap<String, u64>,
}

/// A rotation whose every run is shot after its first action; 0 refused, and in the end one key. Then the shop's own pair, which is not
/// split: it asks, and leaves no drift in the release.
pub fn jwt(context: &Context) -> Result<()> {
    let bench = context.converged()?;
    let rotated = split(bench);
    // What the load saw is told in any case.
    let seen = counts(bench);
    println!("rotate: {seen:?}");
    let spied = rotated.and_then(|()| spied(bench));
    bench.look("k3s kubectl delete --ignore-not-found namespace tokens far; k3s ctr images rm docker.io/shop/tokens:1.0.0")?;
    spied?;
    whole(bench)?;
    served(bench)
}

fn split(bench: &Bench<'_>) -> Result<()> {
    begin(bench)?;
    let before = flowing(bench, 20)?;
    ensure!(before.keys.len() == 1, "{before:?}");

    let shots = shot_until(bench, |held| held.contains("withdrawn-after"))?;
    ensure!(shots >= 6, "only {shots} runs were shot");
    let held = bedplate(bench, &["plan", INVENTORY])?;
    ended(&held, 0)?;
    ensure!(held.stdout.contains("the old key of tokens/jwt-keys is withdrawn from"), "{}", held.stdout);
    let after = flowing(bench, before.signed + 100)?;
    ensure!(after.keys.len() == 2, "the new key does not sign: {after:?}");

    // Its time comes, and runs are shot again.
    shot_until(bench, |held| !held.contains("jwt_old_public.pem"))?;
    let last = flowing(bench, after.signed + 100)?;
    ensure!(last.refused.is_empty() && last.unreached * 100 < last.accepted, "{last:?}");
    ensure!(last.keys.len() == 2 && last.late.get(&last.keys[0]).is_some_and(|late| *late > 0), "no old token was shown: {last:?}");
    let published = bench.look("k3s kubectl -n far get configmap jwt-public -o jsonpath='{.data.jwks\\.json}'")?;
    ensure!(published.contains(&last.keys[1]) && !published.contains(&last.keys[0]), "published is {published}");
    ended(&bedplate(bench, &["plan", INVENTORY])?, 0)
}

/// The services run, and tokens flow.
fn begin(bench: &Bench<'_>) -> Result<()> {
    let mut inventory = bench.project.inventory.clone();
    for table in ["images", "jwt_keys", "secrets", "releases", "sites"] {
        inventory.remove(table);
    }
    inventory.extend(KEYS.parse::<Table>()?);
    fs::write(bench.project.path(INVENTORY), toml::to_string(&inventory)?)?;
    fs::copy(&bench.rig.artifacts.app_images.tokens, bench.project.path("dist/tokens.tar"))?;
    bench.project.save(&bench.rig.operator)?;
    ended(&bedplate(bench, &["bootstrap", INVENTORY])?, 0)?;
    bench.look(&format!("k3s kubectl apply -f - <<'EOF'\n{MANIFESTS}EOF"))?;
    for (namespace, name) in [("tokens", "sign"), ("tokens", "desk"), ("far", "gate"), ("tokens", "load")] {
        bench.look(&format!("k3s kubectl -n {namespace} rollout status --timeout=90s deployment/{name}"))?;
    }
    Ok(())
}

/// Shoots each run once it has done something, until the Secret is `done`. How many were shot.
fn shot_until(bench: &Bench<'_>, done: impl Fn(&str) -> bool) -> Result<usize> {
    let mut shots = 0;
    for _ in 0..RUNS {
        // Of a pair with one key alone another rotation would begin.
        if done(&bench.look(HELD)?) {
            return Ok(shots);
        }
        let mut run = Slow::spawn(bench, ROTATE)?;
        let acted = |run: &Slow| -> Result<usize> { Ok(run.said()?.lines().filter(|line| line.ends_with(" s)")).count()) };
        let deadline = Instant::now() + RUN;
        while run.runs()? && acted(&run)? == 0 {
            ensure!(Instant::now() < deadline, "it does not act\n{}", run.said()?);
            std::thread::sleep(Duration::from_millis(10));
        }
        if run.runs()? {
            // It may end in this moment.
            if run.shoot().is_ok() {
                shots += 1;
                println!("rotate: shot after {}", run.said()?.lines().find(|line| line.ends_with(" s)")).unwrap_or_default());
            }
            continue;
        }
        let run = run.ends(RUN)?;
        match run.status.and_then(|status| status.code()) {
            // The run before was shot a moment ago.
            Some(75) => {}
            // What the old key signed is valid still.
            Some(0) => std::thread::sleep(Duration::from_secs(1)),
            code => bail!("exit {code:?}\n{}\n{}", run.stdout, run.stderr),
        }
    }
    bail!("not done after {RUNS} runs: {}", bench.look(HELD)?)
}

fn counts(bench: &Bench<'_>) -> Result<Counts> {
    let said = bench.look("k3s kubectl get --raw /api/v1/namespaces/tokens/services/load:8080/proxy/")?;
    serde_json::from_str(&said).with_context(|| said)
}

/// The counts once so many tokens were signed; none may have been refused.
fn flowing(bench: &Bench<'_>, signed: u64) -> Result<Counts> {
    let seen = until("tokens to flow", Duration::from_secs(60), || Ok(Some(counts(bench)?).filter(|seen| seen.signed >= signed)))?;
    ensure!(seen.refused.is_empty() && seen.accepted > 0, "{seen:?}");
    Ok(seen)
}

/// A pod that mounts the private key without need, for all to read, is told; the others are not.
fn spied(bench: &Bench<'_>) -> Result<()> {
    let clean = bedplate(bench, &["verify", INVENTORY])?;
    ended(&clean, 0)?;
    ensure!(!clean.stdout.contains("jwt_private.pem"), "{}", clean.stdout);
    bench.look(&format!("k3s kubectl apply -f - <<'EOF'\n{SPY}EOF\nk3s kubectl -n tokens rollout status --timeout=60s deployment/spy"))?;
    let told = bedplate(bench, &["verify", INVENTORY])?;
    ended(&told, 0)?;
    for words in [
        "warning: spy in tokens can read jwt_private.pem",
        "warning: spy in tokens mounts jwt_private.pem of secret jwt-keys with mode 0644",
    ] {
        ensure!(told.stdout.contains(words), "{words:?} is not said:\n{}", told.stdout);
    }
    Ok(())
}

/// The shop's pair has one place for a public key: that tokens end is asked first; its release is as it was.
fn whole(bench: &Bench<'_>) -> Result<()> {
    let key = "k3s kubectl -n shop get secret jwt-keys -o jsonpath='{.metadata.annotations.bedplate\\.dev/kid} {.data}' | sha256sum";
    let before = bench.look(key)?;
    let refused = bedplate(bench, &["rotate", "jwt", "inventory.toml"])?;
    ended(&refused, 64)?;
    ensure!(refused.stderr.contains("there is no terminal") && bench.look(key)? == before, "{}", refused.stderr);
    let rotated = bedplate(bench, &["rotate", "jwt", "inventory.toml", "--yes"])?;
    ended(&rotated, 0)?;
    for word in ["restart deployment shop/auth", "restart deployment shop/web"] {
        ensure!(rotated.stderr.contains(word), "{word:?} is not said:\n{}", rotated.stderr);
    }
    ensure!(bench.look(key)? != before, "the key is the same");
    unchanged(bench)
}
