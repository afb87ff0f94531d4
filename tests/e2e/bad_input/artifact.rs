//! A k3s that is not what `bedplate.lock` pins: refused before anything of it reaches the host.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::refused;
use crate::bench::Bench;
use crate::build::Pin;
use crate::e2e::Context;
use crate::e2e::flow::{bedplate, ended};
use crate::project::{lock, merge};
use crate::rig::{Rig, mirrored, plain};
use crate::run::run;

/// Half a k3s, on a bare host.
pub fn truncated(context: &Context) -> Result<()> {
    let bench = alone(context.rig)?;
    let served = Mirror::spoilt(context.rig, "truncated", |file| {
        let half = fs::metadata(file)?.len() / 2;
        Ok(OpenOptions::new().write(true).open(file)?.set_len(half)?)
    })?;
    never_installed(bench, &served)?.host.discard()
}

/// One bit of k3s turned over: on a bare host, and, pinned as the next one, on a host where the old one runs on.
pub fn altered(context: &Context) -> Result<()> {
    let bench = alone(context.rig)?;
    let served = Mirror::spoilt(context.rig, "altered", |file| {
        let file = OpenOptions::new().read(true).write(true).open(file)?;
        let mut byte = [0];
        file.read_exact_at(&mut byte, 1 << 20)?;
        Ok(file.write_all_at(&[byte[0] ^ 1], 1 << 20)?)
    })?;
    let mut bench = never_installed(bench, &served)?;
    source(&mut bench, &plain())?;
    ended(&bedplate(&bench, &["bootstrap", "inventory.toml"])?, 0)?;

    let next = Pin { sha256: "5".repeat(64), ..k3s(context.rig)?.clone() };
    let pins: Vec<Pin> = context.rig.artifacts.pins.iter().map(|pin| if pin.name == "k3s" { next.clone() } else { pin.clone() }).collect();
    fs::write(bench.project.path("bedplate.lock"), lock(&pins)?)?;
    source(&mut bench, &served.url)?;
    let running = "sha256sum /usr/local/bin/k3s; systemctl show k3s -p ActiveState -p ExecMainStartTimestampMonotonic -p MainPID";
    let before = bench.look(running)?;
    ensure!(before.contains(&k3s(context.rig)?.sha256) && before.contains("ActiveState=active"), "k3s does not run: {before}");
    refused(&bench, "bootstrap", 1, &["nothing was installed", &served.sha256, &next.sha256])?;
    ensure!(bench.look(running)? == before, "k3s was touched: {}", bench.look(running)?);
    bench.host.discard()
}

/// The second host, with k3s and nothing on top.
fn alone(rig: &Rig) -> Result<Bench<'_>> {
    let mut bench = Bench::fresh(rig, 2)?;
    for part in ["acme", "images", "jwt_keys", "secrets", "releases", "sites"] {
        bench.project.inventory.remove(part);
    }
    Ok(bench)
}

/// Bootstraps from the spoilt mirror: refused, with both sums named, and no k3s on the host or in the operator's cache.
fn never_installed<'a>(mut bench: Bench<'a>, served: &Mirror) -> Result<Bench<'a>> {
    source(&mut bench, &served.url)?;
    let pinned = &k3s(bench.rig)?.sha256;
    refused(&bench, "bootstrap", 1, &["droplet: k3s: could not fetch k3s", "not what bedplate.lock pins", &served.sha256, pinned])?;
    let found = bench.look("find /usr/local /etc/systemd /var/lib/rancher -name '*k3s*' 2>/dev/null; pgrep -a k3s || true")?;
    ensure!(found.is_empty(), "a refused k3s left this on the host: {found}");
    for sum in [&served.sha256, pinned] {
        ensure!(!cache(bench.rig).join("sha256").join(sum).exists(), "the cache took {sum}");
    }
    Ok(bench)
}

/// Fetches from `url`, and nothing from the cache.
fn source(bench: &mut Bench<'_>, url: &str) -> Result<()> {
    merge(&mut bench.project.inventory, &toml::Table::from_iter([("source".to_owned(), url.into())]));
    bench.project.save(&bench.rig.operator)?;
    match fs::remove_dir_all(cache(bench.rig)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error).context("clearing the operator's cache"),
        _ => Ok(()),
    }
}

fn cache(rig: &Rig) -> PathBuf {
    rig.operator.home().join(".cache/bedplate")
}

fn k3s(rig: &Rig) -> Result<&Pin> {
    rig.artifacts.pins.iter().find(|pin| pin.name == "k3s").context("the rig serves a k3s")
}

/// All that the rig serves, but with a spoilt k3s.
struct Mirror {
    url: String,
    /// Of what it serves as k3s.
    sha256: String,
}

impl Mirror {
    fn spoilt(rig: &Rig, name: &str, spoil: impl FnOnce(&Path) -> Result<()>) -> Result<Self> {
        let folder = mirrored(&rig.place)?.join(name);
        run(Command::new("cp").args(["--recursive", "--symbolic-link"]).arg(&rig.artifacts.dir).arg(&folder))?;
        let file = folder.join(&k3s(rig)?.path);
        fs::remove_file(&file)?;
        fs::copy(rig.artifacts.dir.join(&k3s(rig)?.path), &file)?;
        spoil(&file)?;
        let sha256 = run(Command::new("sha256sum").arg(&file))?.split(' ').next().unwrap_or_default().to_owned();
        ensure!(sha256.len() == 64 && sha256 != k3s(rig)?.sha256, "k3s is not spoilt");
        Ok(Self { url: format!("{}/{name}", plain()), sha256 })
    }
}
