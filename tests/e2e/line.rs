//! What befalls a host in the middle of an action: its line is cut, its disk is full or read-only.

mod slow;

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::Context;
use super::flow::{bedplate, ended, served};
use crate::bench::Bench;
use crate::relay::{Fault, Line, Relay};
use crate::run::{Ended, until};

pub use slow::{Slow, THROUGH, through};

/// One byte more in k3s' binary on disk; the running process is the old one.
const BINARY: &str =
    "cp /usr/local/bin/k3s /usr/local/bin/k3s.new && printf x >>/usr/local/bin/k3s.new && mv /usr/local/bin/k3s.new /usr/local/bin/k3s";
/// A workload as the chart does not have it: helm mends it.
const SCALED: &str = "k3s kubectl -n shop scale deployment auth --replicas=2";
/// A run that mends one thing, twice begun, on a busy machine.
const MENDED: Duration = Duration::from_secs(300);

/// The line breaks in the middle of an upload, by a reset and by a byte that was altered on the way, and while helm upgrades. Each time
/// the run goes on by itself, and nothing is left to do.
pub fn cut(context: &Context) -> Result<()> {
    let bench = context.converged()?;
    let relay = through(bench, Line::default())?;
    resumed(bench, &relay, BINARY, |relay| {
        relay.strike_after(5 << 20, Fault::Cut);
        Ok(())
    })?;
    resumed(bench, &relay, "rm -rf /var/lib/bedplate/spool /usr/local/lib/bedplate/helm-*", |relay| {
        relay.strike_after(5 << 20, Fault::Flip);
        Ok(())
    })?;
    resumed(bench, &relay, SCALED, |relay| {
        // Not the one that asks `helm version`.
        let upgrading = || Ok(bench.look("pgrep -f '^/usr/local/bin/helm upgrade' || true").map(|seen| !seen.is_empty())?.then_some(()));
        until("helm to upgrade", MENDED, upgrading)?;
        relay.strike(Fault::Cut);
        Ok(())
    })?;
    let log = bench.look("cat /var/log/bedplate/actions.log; stat -c '%a %U' /var/log/bedplate /var/log/bedplate/actions.log")?;
    let ends = |what: &str| {
        log.lines().filter(|line| line.contains(what)).map(|line| line.split(' ').nth(2).unwrap_or_default()).collect::<Vec<_>>()
    };
    // What is sent lies beside the host's own until it is whole: nothing begins before.
    let installs = ends("install k3s v");
    ensure!(installs.len() >= 4 && installs.chunks(2).all(|pair| pair == ["begun:", "done:"]), "an install was cut: {installs:?}\n{log}");
    let upgrades = ends("helm upgrade --install shop ");
    ensure!(upgrades.ends_with(&["begun:", "begun:", "done:"]), "the log tells otherwise of a cut upgrade: {upgrades:?}\n{log}");
    ensure!(log.ends_with("750 root\n600 root\n"), "others may read the log: {log}");
    served(bench)
}

/// Makes the drift, and runs bootstrap through the relay while `fault` breaks the line: the run says so, and ends well.
fn resumed(bench: &Bench<'_>, relay: &Relay, drift: &str, fault: impl FnOnce(&Relay) -> Result<()>) -> Result<()> {
    bench.look(drift)?;
    let mut run = Slow::start(bench, relay, &["bootstrap", "inventory.toml"])?;
    fault(relay)?;
    let run = run.ends(MENDED)?;
    ended(&run, 0).with_context(|| drift.to_owned())?;
    ensure!(run.stderr.contains("the ssh session broke"), "nothing broke: {drift}\n{}", run.stderr);
    ended(&bedplate(bench, &["plan", "inventory.toml"])?, 0)
}

/// No room for what is installed: said with its cure, k3s runs on as it was, and with room the next run mends it.
pub fn full(context: &Context) -> Result<()> {
    let bench = context.converged()?;
    let before = bench.look("systemctl show k3s -p ExecMainStartTimestampMonotonic")?;
    bench.look(
        "size=$(du -sk /usr/local/bin | cut -f1); mkdir /root/bin && cp -a /usr/local/bin/. /root/bin/
         mount -t tmpfs -o size=$((size + 8192))k full /usr/local/bin && cp -a /root/bin/. /usr/local/bin/ && rm -r /root/bin
         printf x >>/usr/local/bin/k3s",
    )?;
    let run = bedplate(bench, &["bootstrap", "inventory.toml"])?;
    let kept = bench.look("ls -A /usr/local/bin | grep -c bedplate || true; systemctl show k3s -p ExecMainStartTimestampMonotonic")?;
    bench.look("mount -o remount,size=2g /usr/local/bin")?;
    let mended = bedplate(bench, &["bootstrap", "inventory.toml"]);
    // The good binaries lie below; the running one is held by its process.
    bench.look("umount --lazy /usr/local/bin")?;
    told(&run, &["k3s: could not install k3s", "No space left on device", "cure: make room on the host's disk"])?;
    ensure!(kept == format!("0\n{before}"), "something was touched or left: {kept}, before: {before}");
    ended(&mended?, 0)?;
    ended(&bedplate(bench, &["plan", "inventory.toml"])?, 0)
}

/// A read-only /etc: said with its cure, nothing restarted, and writable again the next run mends it.
pub fn readonly(context: &Context) -> Result<()> {
    let bench = context.converged()?;
    let before = bench.look("systemctl show k3s -p ExecMainStartTimestampMonotonic")?;
    bench
        .look("echo 'node-label: [by-hand=yes]' >>/etc/rancher/k3s/config.yaml; mount --bind /etc /etc && mount -o remount,ro,bind /etc")?;
    let run = bedplate(bench, &["bootstrap", "inventory.toml"]);
    // A file that is open there would keep it busy.
    let after = bench.look("umount --lazy /etc && systemctl show k3s -p ExecMainStartTimestampMonotonic")?;
    told(&run?, &["k3s: could not write /etc/rancher/k3s/config.yaml", "Read-only file system", "cure: the host's disk is read-only"])?;
    ensure!(after == before, "k3s was restarted: {before} {after}");
    ended(&bedplate(bench, &["bootstrap", "inventory.toml"])?, 0)?;
    ended(&bedplate(bench, &["plan", "inventory.toml"])?, 0)
}

/// Demands that a run failed with these words.
fn told(run: &Ended, words: &[&str]) -> Result<()> {
    ended(run, 1)?;
    for word in words {
        ensure!(run.stderr.contains(word), "`{word}` is not said:\n{}", run.stderr);
    }
    Ok(())
}
