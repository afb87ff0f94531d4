//! A containerd that knows no pins, and that keeps the name of an image that it could not import: Debian's 1.6, where k3s has its own, with no
//! Kubernetes around it.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use toml::{Table, Value};

use super::super::Context;
use super::super::line::{Slow, THROUGH, through};
use super::archive::{Layer, Web, layer};
use super::{MB, RUN, SPOOL, STORE};
use crate::bench::Bench;
use crate::build;
use crate::relay::{Line, Relay};
use crate::run::{Ended, until};

const FILE: &str = "dist/old.tar";
const NAME: &str = "docker.io/shop/old:1";
/// crictl is the node's, which speaks to whatever is behind that socket.
const K3S: &str = "#!/bin/sh
[ \"$1\" = ctr ] || exec /usr/local/lib/k3s \"$@\"
shift
exec /usr/local/bin/ctr -a /run/k3s/containerd/containerd.sock \"$@\"
";
const CONFIG: &str = "version = 2
root = '/var/lib/rancher/k3s/agent/containerd'
state = '/run/k3s/containerd'
[grpc]
  address = '/run/k3s/containerd/containerd.sock'
";
const ENOUGH: Duration = Duration::from_secs(60);

/// What it lacks is sent, and is whole; a layer that goes meanwhile is sent after all. That an image may be collected is said each time.
pub fn old(context: &Context) -> Result<()> {
    let mut bench = Bench::fresh(context.rig, 2)?;
    install(&bench)?;
    let images = bench.project.inventory.get_mut("images").and_then(Value::as_table_mut).context("the inventory has images")?;
    *images = Table::from_iter([("old".to_owned(), FILE.into())]);
    bench.project.save(&context.rig.operator)?;
    let relay = through(&bench, Line::default())?;
    Slow::describe(&bench, &relay, &bench.project.inventory)?;
    let trial = Trial { web: Web::of(&bench)?, bench: &bench, relay };
    let base = layer(41, 6_000_000);
    let first = trial.pushed(&[base, layer(42, 1_000_000)], |_| Ok(()))?;
    let changed = trial.pushed(&[base, layer(43, 1_000_000)], |_| Ok(()))?;
    let collected = trial.pushed(&[base, layer(44, 4_000_000)], Trial::collect)?;
    let told = format!("7 MB: {first} bytes; 1 MB of 7: {changed}; 4 MB upon 6 that went meanwhile: {collected}");
    println!("{told}");
    // The program below both is some 3 MB when it is packed.
    ensure!((7 * MB..11 * MB).contains(&first) && (MB..2 * MB).contains(&changed) && (10 * MB..14 * MB).contains(&collected), "{told}");
    bench.host.discard()
}

/// containerd, and what takes k3s' place on the command line.
fn install(bench: &Bench<'_>) -> Result<()> {
    let debian = build::containerd()?;
    let artifacts = &bench.rig.artifacts;
    let k3s = artifacts.pins.iter().find(|pin| pin.name == "k3s").context("the rig has built a k3s")?;
    put(bench, &artifacts.dir.join(&k3s.path), "/usr/local/lib/k3s")?;
    for name in ["containerd", "ctr"] {
        put(bench, &debian.join(name), &format!("/usr/local/bin/{name}"))?;
    }
    let start = format!(
        "cat >/usr/local/bin/k3s <<'EOF'\n{K3S}EOF\ncat >/etc/containerd.toml <<'EOF'\n{CONFIG}EOF\n\
         chmod 755 /usr/local/bin/k3s\nsystemd-run --quiet --unit=k3s /usr/local/bin/containerd -c /etc/containerd.toml"
    );
    bench.look(&start)?;
    until("containerd to answer", ENOUGH, || Ok(bench.look("k3s crictl images -o json").is_ok().then_some(())))?;
    let version = bench.look("k3s ctr version")?;
    ensure!(version.contains("Version:  1.6."), "{version}");
    Ok(())
}

fn put(bench: &Bench<'_>, file: &Path, path: &str) -> Result<()> {
    let mut copy = bench.host.exec()?;
    copy.args(["sh", "-c", "cat >\"$0\" && chmod 755 \"$0\"", path]).stdin(File::open(file)?);
    ensure!(copy.status()?.success(), "{path} can't be written");
    Ok(())
}

struct Trial<'a> {
    web: Web,
    bench: &'a Bench<'a>,
    relay: Relay,
}

impl Trial<'_> {
    /// Pushes an image of these layers, and looks what containerd made of it: the bytes that went to the host.
    fn pushed(&self, layers: &[Layer], meanwhile: impl Fn(&Self) -> Result<()>) -> Result<u64> {
        let built = self.web.build_as(self.bench, FILE, "shop/old:1", layers)?;
        let before = self.relay.passed();
        let mut run = Slow::spawn(self.bench, &["images", "push", THROUGH])?;
        let met = meanwhile(self);
        let run = run.ends(RUN)?;
        met.with_context(|| run.stderr.clone())?;
        unpinned(&run)?;
        let listed = self.bench.look("k3s crictl images -o json")?;
        ensure!(listed.contains(&built.id), "the host has {listed}, not {}", built.id);
        let checked = self.bench.look("k3s ctr -n k8s.io images check")?;
        ensure!(checked.contains(NAME) && !checked.contains("incomplete") && !checked.contains("false"), "{checked}");
        Ok(self.relay.passed() - before)
    }

    /// The layer below goes while the one above is sent.
    fn collect(&self) -> Result<()> {
        self.relay.pace(Some(2 << 20));
        let arrived = format!("cat {SPOOL}/* 2>/dev/null | wc -c");
        let gone = until("bytes in the spool", RUN, || Ok((self.bench.look(&arrived)?.trim().parse::<u64>()? > MB).then_some(())))
            .and_then(|()| {
                self.bench
                    .look(&format!("for d in $(find {STORE} -size +5M -printf '%f\\n'); do k3s ctr -n k8s.io content rm sha256:$d; done"))
            });
        self.relay.pace(None);
        ensure!(gone?.trim().starts_with("sha256:"), "nothing was collected");
        Ok(())
    }
}

fn unpinned(run: &Ended) -> Result<()> {
    ensure!(run.status.and_then(|status| status.code()) == Some(1), "{}{}", run.stdout, run.stderr);
    ensure!(run.stderr.contains("is not pinned after the import"), "{}{}", run.stdout, run.stderr);
    Ok(())
}
