//! One run at a time, and none that goes on without its lock. The action that is interrupted is the upload of helm over a slow line, so
//! no k3s need run.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};

use super::Context;
use super::flow::{bedplate, ended};
use super::line::{Slow, through};
use crate::bench::Bench;
use crate::relay::{Fault, Line, Relay};
use crate::run::until;

/// Helm takes half a minute.
const LINE: Line = Line { rtt: Duration::from_millis(10), rate: Some(1 << 20) };
/// From a start to bytes that arrive, on a busy machine.
const BEGUN: Duration = Duration::from_secs(60);
/// What is on the host where runs write, and who is at work there for a run.
const TRACES: &str = "find /usr/local /etc /root /var/log/bedplate -newer /run/bedplate.lock -printf '%p %s %T@\\n' 2>/dev/null | sort
    pgrep -fa 'bedplate-|read -r n p c' | grep -v pgrep || true; ls -A /usr/local/bin /run/bedplate 2>/dev/null || true";

/// Helm aside, and a run in the middle of its upload. `end` gives it back.
struct Upload<'a> {
    bench: &'a Bench<'a>,
    relay: Relay,
    run: Slow,
}

impl<'a> Upload<'a> {
    fn begin(bench: &'a Bench<'a>) -> Result<Self> {
        // What another run left there would not be sent again.
        bench.look(
            "rm -rf /var/lib/bedplate/spool /root/aside; mkdir /root/aside; mv /usr/local/lib/bedplate /root/aside/ 2>/dev/null || true",
        )?;
        let relay = through(bench, LINE)?;
        let run = Slow::start(bench, &relay, &["bootstrap", "inventory.toml"])?;
        let arrives = || Ok((relay.passed() > 2 << 20).then_some(()));
        until("helm to arrive", BEGUN, arrives).with_context(|| run.said().unwrap_or_default())?;
        Ok(Self { bench, relay, run })
    }

    fn end(self) -> Result<()> {
        drop(self.run);
        Free::wait(self.bench)?.seconds_after(SystemTime::now())?;
        let back = "[ ! -d /root/aside/bedplate ] || { rm -rf /usr/local/lib/bedplate; mv /root/aside/bedplate /usr/local/lib/; }; rm -rf /root/aside";
        self.bench.look(back).map(drop)
    }
}

/// Waits on the host for the lock, and tells when it was free.
struct Free(Child);

impl Free {
    fn wait(bench: &Bench<'_>) -> Result<Self> {
        let mut flock: Command = bench.host.exec()?;
        flock.args(["timeout", "60", "flock", "/run/bedplate.lock", "date", "+%s.%N"]).stdout(Stdio::piped());
        Ok(Self(flock.spawn()?))
    }

    /// From `moment` to the free lock; negative: it was free before.
    fn seconds_after(self, moment: SystemTime) -> Result<f64> {
        let said = String::from_utf8(self.0.wait_with_output()?.stdout)?;
        let free: f64 = said.trim().parse().context("the lock is not free within a minute")?;
        Ok(free - moment.duration_since(UNIX_EPOCH)?.as_secs_f64())
    }
}

/// Nothing changes on the host for three seconds, and nobody is at work there. Half a file may lie there until the next run, which
/// removes it under the lock.
fn no_orphan(bench: &Bench<'_>) -> Result<()> {
    let before = bench.look(TRACES)?;
    std::thread::sleep(Duration::from_secs(3));
    let after = bench.look(TRACES)?;
    ensure!(before == after, "an orphan writes\nbefore:\n{before}\nafter:\n{after}");
    ensure!(!after.contains("read -r n p c"), "a worker is left: {after}");
    Ok(())
}

/// A second run is refused at once and told who is at work; the first one does not notice.
pub fn two(context: &Context) -> Result<()> {
    let bench = context.shared()?;
    let mut first = Upload::begin(bench)?;
    let begun = Instant::now();
    let second = bedplate(bench, &["bootstrap", "inventory.toml"])?;
    ended(&second, 75)?;
    ensure!(begun.elapsed() < Duration::from_secs(10), "it took {:?} to be refused", begun.elapsed());
    let words = ["droplet: could not take the lock: another run holds the lock: bedplate-op@", " since 20", "cure: wait until it ends"];
    for word in words {
        ensure!(second.stderr.contains(word), "`{word}` is not said:\n{}", second.stderr);
    }
    // Looking needs no lock.
    ended(&bedplate(bench, &["plan", "inventory.toml"])?, 2)?;
    let held = bench.look("flock -n /run/bedplate.lock true && echo free || echo held")?;
    ensure!(held.trim() == "held", "the second run took the lock away");
    first.run.shoot()?;
    first.end()
}

/// The tool is shot in the middle of an upload.
pub fn killed(context: &Context) -> Result<()> {
    let bench = context.shared()?;
    let mut upload = Upload::begin(bench)?;
    let free = Free::wait(bench)?;
    // The news of its end must not queue behind what was sent before.
    upload.relay.pace(None);
    let shot = SystemTime::now();
    upload.run.shoot()?;
    let seconds = free.seconds_after(shot)?;
    println!("lock_killed: free {seconds:.2} s after the shot");
    ensure!((0.0..1.0).contains(&seconds), "the lock is free {seconds:.2} s after the shot");
    no_orphan(bench)?;
    upload.end()
}

/// The line falls silent in the middle of an upload, and nobody tells either end.
pub fn silent(context: &Context) -> Result<()> {
    let bench = context.shared()?;
    let mut upload = Upload::begin(bench)?;
    let free = Free::wait(bench)?;
    let (fell, noticed) = (SystemTime::now(), Instant::now());
    upload.relay.strike(Fault::Silence);
    let notices = || Ok(upload.run.said()?.contains("the ssh session broke").then(|| noticed.elapsed()));
    let noticed = until("the tool to notice", Duration::from_secs(40), notices).with_context(|| upload.run.said().unwrap_or_default())?;
    println!("lock_silent: noticed after {:.1} s", noticed.as_secs_f64());
    ensure!(noticed <= Duration::from_secs(20), "a dead line is noticed after {noticed:?}");
    let seconds = free.seconds_after(fell)?;
    println!("lock_silent: free after {seconds:.1} s");
    ensure!((0.0..30.0).contains(&seconds), "the lock is free {seconds:.1} s after the line fell silent");
    no_orphan(bench)?;
    // It tried once more, through the same silence.
    ended(&upload.run.ends(Duration::from_secs(60))?, 69)?;
    // What was held back arrives late, and moves nothing.
    upload.relay.pace(None);
    upload.relay.speak();
    no_orphan(bench)?;
    upload.end()
}
