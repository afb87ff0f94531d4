//! One action, one fault.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use super::cases::{Case, Pods};
use super::fault::Fault;
use super::state::{State, Work};
use crate::bench::Bench;
use crate::e2e::flow::{bedplate, ended};
use crate::e2e::line::{Slow, through};
use crate::relay::Line;
use crate::run::until;

/// Long enough that an action is not over before anything can befall it.
const LINE: Line = Line { rtt: Duration::from_millis(200), rate: None };
/// From the run's start to the action, on a busy machine with two other lanes.
const BEGUN: Duration = Duration::from_secs(120);
/// After a fault the lock is free at the latest by then.
const FREE: Duration = Duration::from_secs(30);

/// What is tried, and when in the action's course the fault falls: from 0, its begin, to 1, what it takes at least.
pub struct Trial {
    pub case: &'static Case,
    pub fault: Fault,
    pub moment: f64,
}

/// Makes the drift, lets the fault fall into the action that mends it, runs again: all is as it was before, nothing that was well was
/// restarted, and nothing is left to do. How long that took, in seconds.
pub fn trial(bench: &Bench<'_>, trial: &Trial) -> Result<f64> {
    let Trial { case, fault, moment } = trial;
    let begun = Instant::now();
    let before = State::of(bench, case)?;
    let work = Work::of(bench)?;
    (case.drift)(bench).context("making the drift")?;
    {
        let relay = through(bench, LINE)?;
        let mut run = Slow::start(bench, &relay, &case.bootstrap(&["-v"]))?;
        acting(&mut run, case)?;
        std::thread::sleep(LINE.rtt.max(case.lasts).mul_f64(*moment));
        fault.strike(bench, case.side, &relay, &mut run).with_context(|| run.said().unwrap_or_default())?;
    }
    again(bench, case)?;
    before.same(bench, case)?;
    judge(&work, &Work::of(bench)?, case, *fault)?;
    ended(&bedplate(bench, &["plan", "inventory.toml"])?, 0).context("the second run has something to do")?;
    Ok(begun.elapsed().as_secs_f64())
}

/// Waits until the run has begun the action, by its own words.
fn acting(run: &mut Slow, case: &Case) -> Result<()> {
    let begins = |said: &str| said.lines().any(|line| line.contains(&format!(": {}", case.action)) && line.ends_with('…'));
    let look = || {
        if begins(&run.said()?) {
            return Ok(Some(()));
        }
        ensure!(run.runs()?, "the run has ended");
        Ok(None)
    };
    until(&format!("the run to {}", case.action), BEGUN, look).with_context(|| run.said().unwrap_or_default())
}

/// Runs bootstrap as users do, again as long as the former run's lock is not free.
fn again(bench: &Bench<'_>, case: &Case) -> Result<()> {
    let struck = Instant::now();
    loop {
        let run = bedplate(bench, &case.bootstrap(&[]))?;
        if run.status.and_then(|status| status.code()) != Some(75) {
            return ended(&run, 0).context("run again");
        }
        ensure!(struck.elapsed() < FREE, "the lock is not free {:?} after the fault\n{}", struck.elapsed(), run.stderr);
    }
}

/// Nothing was restarted but what the mending, or the loss of power, restarts.
fn judge(before: &Work, after: &Work, case: &Case, fault: Fault) -> Result<()> {
    let rebooted = u32::from(fault == Fault::Reboot);
    let starts = after.starts - before.starts;
    ensure!(
        (0..=i64::from(case.starts + rebooted)).contains(&starts),
        "k3s was started {starts} times, where {} and {rebooted} for the reboot would do",
        case.starts
    );
    match (case.pods, fault) {
        (Pods::Replaced, _) => Ok(()),
        (Pods::Kept, Fault::Reboot) => {
            ensure!(before.pods() == after.pods(), "pods before:\n{before}\nafter:\n{after}");
            Ok(())
        }
        (Pods::Kept, _) => {
            ensure!(before.restarts == after.restarts, "pods before:\n{before}\nafter:\n{after}");
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::e2e::matrix::cases::CASES;

    fn case(name: &str) -> &'static Case {
        CASES.iter().find(|case| case.name == name).unwrap()
    }

    fn work(starts: i64, pods: &[&str]) -> Work {
        Work { starts, restarts: pods.iter().map(|pod| (*pod).to_owned()).collect() }
    }

    #[test]
    fn a_start_too_many_is_seen() {
        let (quiet, mended) = (case("make-folder"), case("write-config"));
        let judged = |case, fault, starts: i64| judge(&work(1, &[]), &work(1 + starts, &[]), case, fault).is_ok();
        assert!(judged(quiet, Fault::Kill, 0) && !judged(quiet, Fault::Kill, 1));
        assert!(judged(mended, Fault::Cut, 1) && !judged(mended, Fault::Cut, 2));
        assert!(judged(quiet, Fault::Reboot, 1) && !judged(quiet, Fault::Reboot, 2));
    }

    #[test]
    fn a_pod_that_was_restarted_is_seen_unless_the_host_was() {
        let (before, after) = (work(1, &["uid-1 web 0"]), work(1, &["uid-1 web 1"]));
        let another = work(1, &["uid-2 web 0"]);
        let case = case("make-folder");
        assert!(judge(&before, &after, case, Fault::Kill).is_err() && judge(&before, &after, case, Fault::Reboot).is_ok());
        assert!(judge(&before, &another, case, Fault::Reboot).is_err());
    }
}
