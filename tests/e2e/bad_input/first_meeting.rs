//! Artifacts that nothing pins yet.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use toml::{Table, Value};

use super::refused;
use crate::bench::Bench;
use crate::e2e::Context;
use crate::rig::{plain, secure};
use crate::run::until;

/// Over plain HTTP nothing is learnt; over verified TLS everything is, and equals what the rig built.
pub fn first_meeting(context: &Context) -> Result<()> {
    let mut bench = Bench::fresh(context.rig, 2)?;
    let file = bench.project.path("bedplate.lock");
    let pinned = forget(&fs::read_to_string(&file)?, "helm")?;
    fs::write(&file, &pinned)?;
    source(&mut bench, &plain())?;
    let words = ["operator: pins: could not learn helm", "is plain HTTP, and bedplate.lock doesn't pin it", "cure: use an https:// source"];
    refused(&bench, "bootstrap", 1, &words)?;
    ensure!(fs::read_to_string(&file)? == pinned, "bedplate.lock was touched");

    fs::remove_file(&file)?;
    refused(&bench, "bootstrap", 1, &["is plain HTTP"])?;
    ensure!(!file.exists(), "bedplate.lock was made");

    source(&mut bench, &secure())?;
    let mut learning = bench.bedplate(&["bootstrap", "inventory.toml"]).stderr(Stdio::null()).spawn()?;
    let learnt = until("bedplate.lock to hold four pins", Duration::from_secs(120), || {
        ensure!(learning.try_wait()?.is_none(), "bedplate ended before all was learnt");
        let pins = pins(&fs::read_to_string(&file).unwrap_or_default())?;
        Ok((pins.len() == 4).then_some(pins))
    });
    // What comes after the pins is not this test's.
    learning.kill()?;
    learning.wait()?;
    judge(&bench, &learnt?)?;
    bench.host.discard()
}

fn judge(bench: &Bench<'_>, learnt: &[Table]) -> Result<()> {
    for pin in &bench.rig.artifacts.pins {
        let text = |key: &str, entry: &Table| entry.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let Some(entry) = learnt.iter().find(|entry| text("name", entry) == pin.name) else { bail!("{} was not learnt", pin.name) };
        ensure!(text("version", entry) == pin.version && text("sha256", entry) == pin.sha256, "{} was learnt as {entry}", pin.name);
        ensure!(entry.get("size").and_then(Value::as_integer) == i64::try_from(pin.size).ok(), "{} was learnt as {entry}", pin.name);
        ensure!(text("url", entry).starts_with(&secure()), "{} was learnt from {}", pin.name, text("url", entry));
        // Charts have no sum beside them.
        let how = if pin.name == "cert-manager" { "the vendor publishes no sum" } else { "equals the vendor's sum in https://" };
        ensure!(
            text("learnt", entry).starts_with(&format!("first meeting; {how}")),
            "{} was learnt so: {}",
            pin.name,
            text("learnt", entry)
        );
    }
    Ok(())
}

fn source(bench: &mut Bench<'_>, url: &str) -> Result<()> {
    bench.project.inventory.insert("source".into(), url.into());
    bench.project.save(&bench.rig.operator)
}

fn pins(lock: &str) -> Result<Vec<Table>> {
    let lock: Table = lock.parse()?;
    let pins = lock.get("artifact").and_then(Value::as_array).cloned().unwrap_or_default();
    Ok(pins.into_iter().filter_map(|pin| pin.try_into().ok()).collect())
}

/// The lock file without one artifact.
fn forget(lock: &str, name: &str) -> Result<String> {
    let kept = pins(lock)?.into_iter().filter(|pin| pin.get("name").and_then(Value::as_str) != Some(name)).map(Value::Table);
    Ok(toml::to_string(&Table::from_iter([("artifact".to_owned(), Value::Array(kept.collect()))]))?)
}
