//! Secrets in a cluster that runs: who is restarted, and whose they are.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use toml::{Table, Value};

use crate::bench::Bench;
use crate::e2e::Context;
use crate::e2e::flow::{bedplate, ended, pods, served};

/// What the inventory has beside the example's.
const BESIDE: &str = r#"
[[secrets]]
name = "foreign"
namespace = "shop"
env_file = ["beside.env"]
allow = ["COLOUR", "SHADE"]
rename = { COLOUR = "COLOR" }
optional = ["SHADE"]
files = { "blob.bin" = "blob.bin" }
"#;

/// Not UTF-8, with NULs and line ends.
const BLOB: &[u8] = b"\x00\xff\xfe\r\n\x80blob\n\x00";

/// A consumer is restarted when its Secret changed, and neither its neighbour nor anybody else is, ever; a Secret that somebody else made
/// is taken over with `--adopt` only, its labels and type kept; files are keys byte by byte.
pub fn live(context: &Context) -> Result<()> {
    let bench = context.converged()?;
    let write = |name: &str, content: &[u8]| fs::write(bench.project.path(name), content).context("write into the project");
    write("layer.env", b"")?;
    write("beside.env", b"COLOR=red\n")?;
    write("blob.bin", BLOB)?;
    write("consumed.toml", toml::to_string(&consumed(bench)?)?.as_bytes())?;
    let mut beside = consumed(bench)?;
    let more: Table = BESIDE.parse()?;
    secrets(&mut beside)?.extend(more["secrets"].as_array().context("a list")?.clone());
    write("beside.toml", toml::to_string(&beside)?.as_bytes())?;
    bench.project.save(&bench.rig.operator)?;

    // Earlier tests may have changed the Secret: one restart at most, and then none.
    converge(bench, &["consumed.toml"])?;
    let before = (pods(bench, "auth")?, pods(bench, "web")?);
    converge(bench, &["consumed.toml"])?;
    ensure!((pods(bench, "auth")?, pods(bench, "web")?) == before, "pods were made anew without need");

    write("layer.env", b"ADMIN_EMAILS=mira@shop.example\n")?;
    bench.project.save(&bench.rig.operator)?;
    let plan = bedplate(bench, &["plan", "consumed.toml"])?;
    ended(&plan, 2)?;
    ensure!(plan.stdout.contains("deployment shop/auth is restarted then"), "plan doesn't tell of the restart:\n{}", plan.stdout);
    converge(bench, &["consumed.toml"])?;
    ensure!(pods(bench, "auth")? != before.0, "the consumer's pods are the old ones");
    ensure!(pods(bench, "web")? == before.1, "who does not consume it was restarted");
    ended(&bedplate(bench, &["plan", "consumed.toml"])?, 0)?;

    adopted(bench)?;

    write("layer.env", b"")?;
    bench.project.save(&bench.rig.operator)?;
    converge(bench, &["consumed.toml"])?;
    ended(&bedplate(bench, &["plan", "inventory.toml"])?, 0)?;
    served(bench)
}

fn adopted(bench: &Bench<'_>) -> Result<()> {
    bench.look(
        "k3s kubectl -n shop create secret generic foreign --type=shop.example/kind --from-literal=OLD=x && \
         k3s kubectl -n shop label secret foreign owner=mira",
    )?;
    let state = || bench.look("k3s kubectl -n shop get secret foreign -o jsonpath='{.metadata.resourceVersion}'");
    let before = state()?;
    let refused = bedplate(bench, &["bootstrap", "beside.toml"])?;
    ended(&refused, 1)?;
    ensure!(refused.stderr.contains("bedplate did not make it; keys: OLD"), "{}\n{}", refused.stdout, refused.stderr);
    ensure!(state()? == before, "it was touched without --adopt");
    converge(bench, &["--adopt", "beside.toml"])?;
    ended(&bedplate(bench, &["plan", "beside.toml"])?, 0)?;
    let seen = bench.look(
        "k3s kubectl -n shop get secret foreign -o go-template='{{.type}} {{.metadata.labels.owner}} {{range $k, $v := .data}}{{$k}} {{end}}'; \
         k3s kubectl -n shop get secret foreign -o jsonpath='{.data.blob\\.bin}' | base64 -d | od -An -tx1 | tr -d ' \\n'",
    )?;
    let blob: String = BLOB.iter().map(|byte| format!("{byte:02x}")).collect();
    ensure!(seen.trim() == format!("shop.example/kind mira COLOUR blob.bin {blob}"), "the Secret is {seen}");
    bench.look("k3s kubectl -n shop delete secret foreign").map(drop)
}

fn converge(bench: &Bench<'_>, arguments: &[&str]) -> Result<()> {
    let arguments: Vec<_> = ["bootstrap"].iter().chain(arguments).copied().collect();
    ended(&bedplate(bench, &arguments)?, 0)
}

/// The example's inventory, where `auth` reads a Secret of two layers.
fn consumed(bench: &Bench<'_>) -> Result<Table> {
    let mut inventory = bench.project.inventory.clone();
    let secret = secrets(&mut inventory)?.first_mut().and_then(Value::as_table_mut).context("the example has a Secret")?;
    secret.insert("env_file".into(), vec![".env", "layer.env"].into());
    secret.insert("consumers".into(), vec!["deployment/auth"].into());
    Ok(inventory)
}

fn secrets(inventory: &mut Table) -> Result<&mut Vec<Value>> {
    inventory.get_mut("secrets").and_then(Value::as_array_mut).context("the inventory has Secrets")
}
