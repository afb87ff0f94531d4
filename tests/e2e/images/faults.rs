//! An image that no pod uses, pushed while nearly everything goes wrong that can: it is what was asked for in the end, nothing is left in
//! the spool, and what had arrived is not sent again.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use sha2::{Digest as _, Sha256};
use toml::{Table, Value};

use super::super::Context;
use super::super::flow::{bedplate, ended, pods, served};
use super::super::line::{Slow, THROUGH, through};
use super::archive::{Built, Layer, Web, layer};
use super::{MB, RUN, SPOOL, whole};
use crate::bench::Bench;
use crate::relay::{Fault, Line, Relay};
use crate::run::{Ended, until};

const FILE: &str = "dist/loose.tar";
const NAME: &str = "docker.io/shop/loose:1";
const BLOBS: &str = "/var/lib/rancher/k3s/agent/containerd/io.containerd.content.v1.content/blobs/sha256";
/// A line that is slow enough to be hit where it is aimed at.
const RATE: u64 = 6 << 20;
/// What a look sends by itself, at most.
const LOOK: u64 = MB / 5;
/// Shots while bytes arrive, and while they are imported.
const SHOTS: u64 = 8;
/// Runs whose line is cut, twice each: a run tries once more.
const CUT: u64 = 5;

/// Two at once, ten kills, ten cuts, a blob that rots in containerd's store.
pub fn faults(context: &Context) -> Result<()> {
    let bench = context.converged()?;
    let relay = through(bench, Line { rtt: Duration::ZERO, rate: Some(RATE) })?;
    let mut inventory = bench.project.inventory.clone();
    let images = inventory.get_mut("images").and_then(Value::as_table_mut).context("the inventory has images")?;
    *images = Table::from_iter([("loose".to_owned(), FILE.into())]);
    Slow::describe(bench, &relay, &inventory)?;
    let all = || Ok::<_, anyhow::Error>([pods(bench, "web")?, pods(bench, "auth")?]);
    let others = all()?;
    let trial = Trial { bench, relay, web: Web::of(bench)? };
    trial.two().context("two at once")?;
    trial.killed().context("killed")?;
    trial.cut().context("the line is cut")?;
    trial.rotten().context("a blob rots")?;
    ensure!(all()? == others, "pods were replaced");
    bench.look(&format!("k3s ctr images rm --sync {NAME}"))?;
    served(bench)
}

struct Trial<'a> {
    bench: &'a Bench<'a>,
    relay: Relay,
    web: Web,
}

impl Trial<'_> {
    /// The second is turned away, and the first does not notice.
    fn two(&self) -> Result<()> {
        let built = self.build(&[layer(21, 12_000_000)])?;
        let mut first = self.start()?;
        until("bytes in the spool", RUN, || Ok((self.spooled()? > MB).then_some(())))?;
        ended(&self.push()?, 75)?;
        ended(&first.ends(RUN)?, 0)?;
        whole(self.bench, NAME, &built.id)?;
        let again = self.push()?;
        ended(&again, 0)?;
        ensure!(again.stdout.contains("nothing was changed, nothing was restarted"), "{}", again.stdout);
        whole(self.bench, NAME, &built.id)
    }

    /// At ten moments, each a little later than the one before.
    fn killed(&self) -> Result<()> {
        // What is under way when a run is shot arrives all the same.
        let built = self.build(&[layer(22, 24_000_000), layer(23, 24_000_000)])?;
        let before = self.relay.passed();
        for shot in 0..SHOTS {
            let from = self.relay.passed();
            let at = LOOK + fastrand::u64(0..2 * MB);
            self.shot(&format!("{at} bytes"), || Ok(self.relay.passed() > from + at)).with_context(|| format!("shot {shot}"))?;
        }
        // Once all has come, a run that is shot a little late has imported it.
        self.shot("nearly all bytes", || Ok(self.spooled()? >= 46 * MB))?;
        self.shot("the import", || Ok(!self.bench.look("pgrep -f '[i]mages import' || true")?.is_empty()))?;
        ended(&self.push()?, 0)?;
        let passed = self.relay.passed() - before;
        println!("48 MB, killed ten times: {passed} bytes in all");
        ensure!(passed < 48 * MB + (SHOTS + 3) * LOOK + SHOTS * MB / 2, "48 MB were sent in {passed} bytes");
        whole(self.bench, NAME, &built.id)
    }

    /// Shoots a run once it has come so far, and waits until its lock is free.
    fn shot(&self, what: &str, come: impl Fn() -> Result<bool>) -> Result<()> {
        let mut run = self.start()?;
        until(what, RUN, || Ok((come()? || !run.runs()?).then_some(()))).with_context(|| run.said().unwrap_or_default())?;
        run.shoot().with_context(|| format!("at {what}"))?;
        self.bench.look("timeout 20 flock /run/bedplate.lock true").map(drop)
    }

    /// Less than half of what had arrived is sent again.
    fn cut(&self) -> Result<()> {
        let built = self.build(&[layer(24, 24_000_000)])?;
        let before = self.relay.passed();
        let mut arrived = 0;
        for _ in 0..CUT {
            let mut at = || {
                let at = fastrand::u64(2 * LOOK..2 * MB);
                arrived += at;
                at
            };
            self.relay.strike_after(at(), Fault::Cut);
            let mut run = self.start()?;
            until("the cut", RUN, || Ok(run.said()?.contains("the ssh session broke").then_some(())))?;
            self.relay.strike_after(at(), Fault::Cut);
            ended(&run.ends(RUN)?, 69)?;
        }
        ended(&self.push()?, 0)?;
        let passed = self.relay.passed() - before;
        println!("24 MB, cut ten times, after {arrived} bytes in all: {passed} bytes");
        ensure!(passed < 24 * MB + arrived * 55 / 100, "of 24 MB, cut after {arrived} bytes in all, {passed} bytes were sent");
        whole(self.bench, NAME, &built.id)
    }

    /// Where containerd has to unpack a layer anew that rots in its store: it is sent again.
    fn rotten(&self) -> Result<()> {
        let base = layer(25, 6_000_000);
        let built = self.build(&[base])?;
        ended(&self.push()?, 0)?;
        let [.., program, hex] = &built.layers[..] else { anyhow::bail!("the image has two layers") };
        // image-spec: config.md, "Layer ChainID".
        let chain = Sha256::digest(format!("sha256:{program} sha256:{hex}"));
        let rot = format!(
            "k3s ctr -n k8s.io snapshots rm sha256:{chain:x}
             printf x | dd of={BLOBS}/{hex} bs=1 seek=1000000 conv=notrunc 2>/dev/null; sha256sum <{BLOBS}/{hex}"
        );
        ensure!(!self.bench.look(&rot)?.starts_with(hex.as_str()), "the blob does not rot");
        let before = self.relay.passed();
        let built = self.build(&[base, layer(26, 3_000_000)])?;
        ended(&self.push()?, 0)?;
        let passed = self.relay.passed() - before;
        println!("3 MB above 6 MB that rot: {passed} bytes");
        ensure!((9 * MB..15 * MB).contains(&passed), "9 MB were sent in {passed} bytes");
        ensure!(self.bench.look(&format!("sha256sum <{BLOBS}/{hex}"))?.starts_with(hex.as_str()), "the blob rots on");
        whole(self.bench, NAME, &built.id)
    }

    fn build(&self, above: &[Layer]) -> Result<Built> {
        self.web.build_as(self.bench, FILE, "shop/loose:1", above)
    }

    fn push(&self) -> Result<Ended> {
        bedplate(self.bench, &["images", "push", THROUGH])
    }

    fn start(&self) -> Result<Slow> {
        Slow::spawn(self.bench, &["images", "push", THROUGH])
    }

    /// Bytes of blobs on the host that are not imported yet.
    fn spooled(&self) -> Result<u64> {
        Ok(self.bench.look(&format!("cat {SPOOL}/* 2>/dev/null | wc -c"))?.trim().parse()?)
    }
}
