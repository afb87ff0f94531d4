//! What `plan` tells of a changed release: what helm itself would render, drift and whose it is, and no secret; and that nothing of it
//! stays on the host.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::Context;
use super::flow::{bedplate, ended, served};
use crate::bench::Bench;
use crate::run::until;

const VALUES: &str = "deploy/values.prod.yaml";
const TEMPLATE: &str = "deploy/helm/shop/templates/planned.yaml";

/// For helm to be at work, and for its folder to be gone after whom it worked for was killed.
const SOON: Duration = Duration::from_secs(60);

/// Values and a template more, and a deployment that someone scaled.
pub fn release(context: &Context) -> Result<()> {
    let bench = context.converged()?;
    let values = fs::read_to_string(bench.project.path(VALUES))?;
    fs::write(bench.project.path(VALUES), format!("{values}planned:\n  word: hello\n  password: canary-of-plan\n"))?;
    let template = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: planned\ndata:\n  word: {{ .Values.planned.word }}\n";
    fs::write(bench.project.path(TEMPLATE), template)?;
    bench.look("k3s kubectl -n shop scale deployment auth --replicas=2")?;
    let seen = told(bench).and_then(|()| killed(bench));
    fs::write(bench.project.path(VALUES), values)?;
    fs::remove_file(bench.project.path(TEMPLATE))?;
    bench.look("k3s kubectl -n shop scale deployment auth --replicas=1")?;
    seen?;
    ended(&bedplate(bench, &["plan", "inventory.toml"])?, 0)?;
    served(bench)
}

fn told(bench: &Bench<'_>) -> Result<()> {
    let before = revisions(bench)?;
    let plan = bedplate(bench, &["plan", "inventory.toml", "--step", "release"])?;
    ended(&plan, 2)?;
    let told = [
        "cluster\n  release/shop: act\n",
        "because the files of chart ",
        "because value planned.word nothing -> \"hello\"",
        "because value planned.password differs (not shown",
        "because configmap shop/planned is added",
        "because live deployment shop/auth: spec.replicas 2 -> 1 (set by k",
        "1 action: 1 on 1 host\n1 step: 1 act\n",
    ];
    for line in told {
        ensure!(plan.stdout.contains(line), "plan lacks {line:?}:\n{}\n{}", plan.stdout, plan.stderr);
    }
    let json = bedplate(bench, &["plan", "inventory.toml", "--step", "release/shop", "--json"])?;
    ended(&json, 2)?;
    ensure!(json.stdout.contains(r#""actions":["helm upgrade --install shop -n shop"]"#), "{}", json.stdout);
    for said in [&plan.stdout, &plan.stderr, &json.stdout, &json.stderr] {
        ensure!(!said.contains("canary-of-plan"), "a secret is shown: {said}");
    }
    let after = revisions(bench)?;
    ensure!(before == after, "plan made a revision: {before}, then {after}");
    gone(bench)
}

/// Killed while helm works on the host.
fn killed(bench: &Bench<'_>) -> Result<()> {
    let mut plan = bench.bedplate(&["plan", "inventory.toml", "--step", "release"]);
    let mut plan = plan.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let at_work = until("helm's folder", SOON, || Ok(bench.look("ls -d /run/bedplate/look-* 2>/dev/null || :")?.lines().next().map(drop)));
    plan.kill()?;
    plan.wait()?;
    at_work?;
    gone(bench)
}

fn gone(bench: &Bench<'_>) -> Result<()> {
    until("helm's folder to go", SOON, || Ok(bench.look("ls -d /run/bedplate/look-* 2>/dev/null || :")?.is_empty().then_some(())))
}

fn revisions(bench: &Bench<'_>) -> Result<String> {
    bench.look("k3s kubectl -n shop get secrets -l owner=helm --no-headers -o custom-columns=N:.metadata.name,V:.metadata.resourceVersion,D:.metadata.uid")
}
