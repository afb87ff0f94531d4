//! An image that changes: what goes over the line for it, what happens when the line, the tool or the disk gives up, and who runs it then.

pub mod archive;
mod faults;
mod gc;
mod old;
mod packed;

use std::cell::Cell;
use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::Context;
use super::flow::{bedplate, ended, pods, served, unchanged};
use super::line::{Slow, through};
use crate::bench::Bench;
use crate::relay::{Fault, Line, Relay};
use crate::rig::{mirrored, plain};
use crate::run::{Ended, until};
use archive::{Layer, Web, layer};

pub use faults::faults;
pub use gc::gc;
pub use old::old;

const MB: u64 = 1_000_000;
/// A base of 12 MB and a top of 3, random: no packing makes them less.
const BASE: Layer = layer(1, 12_000_000);
const TOP: usize = 3_000_000;
/// A run that mends one thing, on a busy machine.
const RUN: Duration = Duration::from_secs(300);
/// For pods that were replaced to end.
const ENDING: Duration = Duration::from_secs(60);
const SPOOL: &str = "/var/lib/bedplate/spool";
/// containerd's blobs.
const STORE: &str = "/var/lib/rancher/k3s/agent/containerd/io.containerd.content.v1.content/blobs/sha256";

/// One layer of three changes, and about as much goes over the line; a line that is cut, a tool that is killed, a byte that is spoilt and a
/// disk that fills up cost no more than what they hit; and each time the pods of that image are made anew, and no others.
pub fn push(context: &Context) -> Result<()> {
    let bench = context.converged()?;
    let web = Web::of(bench)?;
    let auth = pods(bench, "auth")?;
    let trial = Trial { trials: Cell::new(0), bench, relay: through(bench, Line::default())?, web: &web };
    trial.changed().context("one layer changed")?;
    trial.edited().context("one word of a layer changed")?;
    trial.packed().context("layers that were pulled packed")?;
    trial.collected().context("a layer is collected while another is sent")?;
    trial.cut().context("the line is cut")?;
    trial.spoilt().context("killed, and a byte in the spool is spoilt")?;
    trial.full().context("the disk fills up")?;
    trial.former().context("former versions")?;
    ensure!(pods(bench, "auth")? == auth, "pods of another image were replaced");
    web.restore(bench)?;
    ended(&bedplate(bench, &["bootstrap", "inventory.toml"])?, 0)?;
    unchanged(bench)?;
    served(bench)
}

struct Trial<'a> {
    /// How many images ran so far.
    trials: Cell<u32>,
    bench: &'a Bench<'a>,
    relay: Relay,
    web: &'a Web,
}

impl Trial<'_> {
    fn changed(&self) -> Result<()> {
        let (_, quiet) = self.bootstrap()?;
        self.web.build(self.bench, &[BASE, layer(2, TOP)])?;
        let (_, first) = self.bootstrap()?;
        ensure!(first > 15 * MB, "15 MB are sent in {first} bytes");
        let id = self.web.build(self.bench, &[BASE, layer(3, TOP)])?;
        let plan = bedplate(self.bench, &["plan", "inventory.toml"])?;
        ensure!(plan.stdout.contains("at most 3.0 MB of ") && plan.status.and_then(|status| status.code()) == Some(2), "{}", plan.stdout);
        let before = self.relay.passed();
        let run = Slow::start(self.bench, &self.relay, &["images", "push", "inventory.toml", "web"])?.ends(RUN)?;
        ended(&run, 0)?;
        let told = ["already there; 3.0 MB sent", "1 layer sent whole: the host has no zstd"];
        ensure!(told.iter().all(|words| run.stderr.contains(words)), "{}", run.stderr);
        let again = self.relay.passed() - before;
        println!("a run without changes: {quiet} bytes to the host; first push of 15 MB: {first}; a push of one layer of 3 MB: {again}");
        ensure!((3 * MB..33 * MB / 10).contains(&again), "one layer of 3 MB took {again} bytes");
        self.runs(&id)
    }

    /// Where the host has a zstd, a layer is sent as what differs from its former self.
    fn edited(&self) -> Result<()> {
        let zstd = mirrored(&self.bench.rig.place)?.join("zstd");
        fs::copy("/usr/bin/zstd", &zstd)?;
        let fetched = self.bench.look(&format!("curl -sSf {}/zstd -o /usr/local/bin/zstd && chmod +x /usr/local/bin/zstd", plain()));
        fs::remove_file(zstd)?;
        fetched?;
        let (_, quiet) = self.bootstrap()?;
        let id = self.web.build(self.bench, &[BASE, Layer { edit: "changed", ..layer(3, TOP) }])?;
        let (_, bytes) = self.bootstrap()?;
        self.bench.look("rm /usr/local/bin/zstd")?;
        let moved = bytes.saturating_sub(quiet);
        println!("one word of a layer of 3 MB: {moved} bytes beyond a run without changes");
        ensure!(moved < MB / 2, "one word of a layer of 3 MB took {moved} bytes");
        self.runs(&id)
    }

    /// What the host had when it was asked, and has no more when it is needed, is sent after all.
    fn collected(&self) -> Result<()> {
        let id = self.web.build(self.bench, &[BASE, layer(7, 8_000_000)])?;
        let before = self.relay.passed();
        self.relay.pace(Some(4 << 20));
        let mut run = Slow::start(self.bench, &self.relay, &["bootstrap", "inventory.toml"])?;
        self.arrived(MB)?;
        let base = format!("find {STORE} -size +11M -size -13M -printf '%f\\n'");
        let gone = self.bench.look(&format!("for d in $({base}); do k3s ctr content rm sha256:$d; done"))?;
        self.relay.pace(None);
        ended(&run.ends(RUN)?, 0)?;
        let passed = self.relay.passed() - before;
        println!("8 MB upon 12 MB that went meanwhile: {passed} bytes");
        ensure!(gone.trim().starts_with("sha256:") && passed > 20 * MB, "nothing was collected ({gone}), or not sent again: {passed}");
        self.runs(&id)
    }

    /// Less than half of what had arrived is sent again.
    fn cut(&self) -> Result<()> {
        let id = self.web.build(self.bench, &[layer(4, 24_000_000)])?;
        let at = fastrand::u64(10 * MB..20 * MB);
        let before = self.relay.passed();
        self.relay.strike_after(at, Fault::Cut);
        let run = self.ends()?;
        ended(&run, 0)?;
        ensure!(run.stderr.contains("the ssh session broke"), "nothing broke: {}", run.stderr);
        let passed = self.relay.passed() - before;
        println!("24 MB, cut after {at} bytes: {passed} bytes in all");
        ensure!(passed < 24 * MB + at * 55 / 100, "of 24 MB, cut after {at} bytes, {passed} bytes were sent");
        self.runs(&id)
    }

    fn spoilt(&self) -> Result<()> {
        let id = self.web.build(self.bench, &[layer(5, 16_000_000)])?;
        self.relay.pace(Some(4 << 20));
        let mut run = Slow::start(self.bench, &self.relay, &["bootstrap", "inventory.toml"])?;
        self.arrived(4 * MB)?;
        run.shoot()?;
        self.relay.pace(None);
        let spoil = format!(
            "cd {SPOOL} && f=$(ls -S | head -n 1) && printf x | dd of=\"$f\" bs=1 seek=1000 conv=notrunc 2>/dev/null; \
             stat -c '%a %U' {SPOOL}"
        );
        ensure!(self.bench.look(&spoil)?.trim() == "700 root", "others may look into the spool");
        self.again()?;
        self.runs(&id)
    }

    /// Said before anything is sent where it can be known, and with all the room given back where it can't.
    fn full(&self) -> Result<()> {
        let id = self.web.build(self.bench, &[layer(6, 16_000_000)])?;
        let on = |size: &str| self.bench.look(&format!("rm -rf {SPOOL}; mount -t tmpfs -o size={size} full /var/lib/bedplate"));
        on("105m")?;
        let short = self.ends();
        self.bench.look("umount /var/lib/bedplate")?;
        told(&short?, "MB are needed below /var/lib/bedplate/spool")?;

        on("150m")?;
        self.relay.pace(Some(4 << 20));
        let mut run = Slow::start(self.bench, &self.relay, &["bootstrap", "inventory.toml"])?;
        let filled =
            self.arrived(4 * MB).and_then(|()| self.bench.look("dd if=/dev/zero of=/var/lib/bedplate/full bs=1M 2>/dev/null || true"));
        self.relay.pace(None);
        let run = filled.and_then(|_| run.ends(RUN));
        let left = self.bench.look(&format!("ls -d {SPOOL} 2>/dev/null || true; umount /var/lib/bedplate"))?;
        told(&run?, "the host's disk filled up")?;
        ensure!(left.is_empty(), "the room was not given back");
        self.again()?;
        self.runs(&id)
    }

    /// Each trial left its image by another tag. Of former ones those three stay that came last, beside the one that runs.
    fn former(&self) -> Result<()> {
        let left = self.bench.look("k3s ctr -n k8s.io images ls -q | grep '^docker.io/shop/web:former-' | sort")?;
        println!("left of six: {}", left.replace('\n', " "));
        let last = self.trials.get();
        let tags: Vec<u32> = left.lines().filter_map(|name| name.rsplit_once('-')?.1.parse().ok()).collect();
        ensure!(tags == [last - 3, last - 2, last - 1, last], "{left}");
        Ok(())
    }

    /// Through the relay: what the run said, and the bytes that went to the host.
    fn bootstrap(&self) -> Result<(Ended, u64)> {
        let before = self.relay.passed();
        let run = self.ends()?;
        ended(&run, 0)?;
        Ok((run, self.relay.passed() - before))
    }

    fn ends(&self) -> Result<Ended> {
        Slow::start(self.bench, &self.relay, &["bootstrap", "inventory.toml"])?.ends(RUN)
    }

    /// Until the killed run's lock is free.
    fn again(&self) -> Result<()> {
        until("the lock to be free", RUN, || {
            let run = bedplate(self.bench, &["bootstrap", "inventory.toml"])?;
            if run.status.and_then(|status| status.code()) == Some(75) {
                return Ok(None);
            }
            ended(&run, 0).map(Some)
        })
    }

    fn arrived(&self, bytes: u64) -> Result<()> {
        let sizes = format!("cat {SPOOL}/* 2>/dev/null | wc -c");
        until("bytes in the spool", RUN, || Ok((self.bench.look(&sizes)?.trim().parse::<u64>()? > bytes).then_some(())))
    }

    /// The image is whole and pinned, the pods of `web` run it, and nothing is left in the spool.
    fn runs(&self, id: &str) -> Result<()> {
        whole(self.bench, "docker.io/shop/web:1.0.0", id)?;
        // A pod that is ending is listed until it has ended.
        let running = "k3s kubectl -n shop get pods -l app.kubernetes.io/component=web -o jsonpath='{range .items[*]}{.status.containerStatuses[*].imageID}{\"\\n\"}{end}'";
        let all = || Ok(self.bench.look(running).map(|seen| !seen.is_empty() && seen.lines().all(|line| line == id))?.then_some(()));
        until("all pods to run it", ENDING, all).with_context(|| self.bench.look(running).unwrap_or_default())?;
        self.trials.set(self.trials.get() + 1);
        let tag = format!("docker.io/shop/web:former-{}", self.trials.get());
        let tagged = format!(
            "k3s ctr -n k8s.io images tag docker.io/shop/web:1.0.0 {tag} && k3s ctr -n k8s.io images label {tag} io.cri-containerd.pinned=pinned"
        );
        self.bench.look(&tagged).map(drop)
    }
}

/// The image is whole and pinned, is what it should be, and nothing is left in the spool.
fn whole(bench: &Bench<'_>, name: &str, id: &str) -> Result<()> {
    let listed: Value = serde_json::from_str(&bench.look("k3s crictl images -o json")?)?;
    let tags = |image: &&Value| image["repoTags"].as_array().is_some_and(|tags| tags.iter().any(|tag| tag == name));
    let image = listed["images"].as_array().into_iter().flatten().find(tags).context("the host has no such image")?;
    ensure!(image["id"] == id && image["pinned"] == true, "the host has {image}, not {id}");
    let seen = bench.look(&format!("k3s ctr images check name=={name} | grep -c 'complete.*true'; find {SPOOL} -type f"))?;
    ensure!(seen.trim() == "1", "the image is not whole, or the spool holds something: {seen}");
    Ok(())
}

fn told(run: &Ended, words: &str) -> Result<()> {
    ended(run, 1)?;
    ensure!(run.stderr.contains(words) && run.stderr.contains("cure: make room on the host's disk"), "{}", run.stderr);
    Ok(())
}
