//! A visitor from outside, who comes again and again while something else goes on. Every visit is a connection of its own.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};

use crate::bench::Bench;
use crate::run::finish;

/// From the end of a visit to the next one.
const PAUSE: Duration = Duration::from_millis(250);
/// curl gives up before.
const LIMIT: Duration = Duration::from_secs(20);

/// One visit.
#[derive(Debug, PartialEq)]
pub struct Visit {
    /// The HTTP status, or curl's words: nobody answers, or a certificate that the roots do not vouch for.
    pub status: Result<u16, String>,
    /// The leaf's serial number; empty: none was believed.
    pub serial: String,
}

impl Visit {
    /// Whether it was as it should be.
    pub fn is_well(&self) -> bool {
        self.status == Ok(200)
    }
}

/// Visits `url` as long as `work` goes on, trusting nothing but `roots`.
pub fn during<T>(bench: &Bench<'_>, url: &str, roots: &Path, work: impl FnOnce() -> Result<T>) -> Result<(T, Vec<Visit>)> {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let visits = scope.spawn(|| {
            let mut visits = Vec::new();
            while !over.load(Ordering::Relaxed) {
                visits.push(visit(bench, url, roots)?);
                thread::sleep(PAUSE);
            }
            Ok::<_, anyhow::Error>(visits)
        });
        let worked = work();
        over.store(true, Ordering::Relaxed);
        let visits = visits.join().map_err(|_| anyhow!("the visitor panicked"))?;
        Ok((worked?, visits?))
    })
}

/// Visits `url` until `enough` is seen, at most for `limit`; `what` is named when it never is.
pub fn until(
    bench: &Bench<'_>,
    (url, roots): (&str, &Path),
    (what, limit): (&str, Duration),
    mut enough: impl FnMut(&[Visit]) -> bool,
) -> Result<Vec<Visit>> {
    let deadline = Instant::now() + limit;
    let mut visits = Vec::new();
    loop {
        visits.push(visit(bench, url, roots)?);
        if enough(&visits) {
            return Ok(visits);
        }
        ensure!(Instant::now() < deadline, "waited {} s for {what}, and at last {url} said {:?}", limit.as_secs(), visits.last());
        thread::sleep(PAUSE);
    }
}

fn visit(bench: &Bench<'_>, url: &str, roots: &Path) -> Result<Visit> {
    let mut curl = bench.rig.operator.command("curl");
    curl.args(["--silent", "--show-error", "--output", "/dev/null", "--max-time", "10", "--write-out", "%{http_code}\\n%{certs}"]);
    let ended = finish(curl.arg("--cacert").arg(roots).arg(url), LIMIT)?;
    let well = ended.status.is_some_and(|status| status.success());
    let mut lines = ended.stdout.lines();
    let code = lines.next().unwrap_or_default();
    let serial = lines.find_map(|line| line.strip_prefix("Serial Number:")).unwrap_or_default().to_owned();
    let status = if well { code.parse::<u16>().map_err(|error| format!("{code:?}: {error}")) } else { Err(ended.stderr) };
    Ok(Visit { status, serial })
}
