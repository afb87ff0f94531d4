//! Every kind of action, interrupted in every way: run again, and the host is as if nothing had been.

mod cases;
mod fault;
mod lanes;
mod state;
mod trial;

use anyhow::{Context as _, Result, ensure};
use fastrand::Rng;

pub use cases::pending;
pub use fault::Fault;
pub use lanes::Lanes;

use super::Context;
use cases::{CASES, Case};
use trial::{Trial, trial};

/// Makes the choice and the moments those of an earlier run.
const SEED: &str = "BEDPLATE_MATRIX_SEED";

/// One case in the matrix' table.
pub struct Outcome {
    /// The case's name.
    pub case: &'static str,
    /// What befell it.
    pub fault: Fault,
    /// How long it took, or why it failed.
    pub result: Result<f64>,
}

/// A sample of the actions, the tool shot in the middle of each.
pub fn kill(context: &Context) -> Result<()> {
    sample(context, Fault::Kill, 4)
}

/// A sample of the actions, the line reset in the middle of each; the run goes on by itself.
pub fn cut(context: &Context) -> Result<()> {
    sample(context, Fault::Cut, 4)
}

/// A sample of the actions, the line falling silent in the middle of each.
pub fn silent(context: &Context) -> Result<()> {
    sample(context, Fault::Silence, 2)
}

/// A sample of the actions, the host's plug pulled in the middle of each.
pub fn reboot(context: &Context) -> Result<()> {
    sample(context, Fault::Reboot, 2)
}

fn sample(context: &Context, fault: Fault, count: usize) -> Result<()> {
    let mut rng = rng()?;
    let mut cases: Vec<&'static Case> = CASES.iter().collect();
    rng.shuffle(&mut cases);
    let chosen = cases.into_iter().take(count).map(|case| Trial { case, fault, moment: rng.f64() }).collect();
    let failed: Vec<String> = run(context.lanes()?, chosen)
        .into_iter()
        .filter_map(|outcome| outcome.result.err().map(|error| format!("{} x {}: {error:#}", outcome.case, outcome.fault)))
        .collect();
    ensure!(failed.is_empty(), "{}", failed.join("\n"));
    Ok(())
}

/// All cases whose name begins with `only`, by all faults or by one.
pub fn all(context: &Context, only: Option<&str>, fault: Option<Fault>) -> Result<Vec<Outcome>> {
    let mut rng = rng()?;
    let mut trials = Vec::new();
    for fault in Fault::ALL.into_iter().filter(|one| fault.is_none_or(|fault| fault == *one)) {
        let cases = CASES.iter().filter(|case| only.is_none_or(|only| case.name.starts_with(only)));
        trials.extend(cases.map(|case| Trial { case, fault, moment: rng.f64() }));
    }
    ensure!(!trials.is_empty(), "no case begins with {}", only.unwrap_or_default());
    Ok(run(context.lanes()?, trials))
}

/// The lanes go side by side; a lane tries one after the other.
fn run(lanes: &Lanes<'_>, trials: Vec<Trial>) -> Vec<Outcome> {
    let shares = lanes.share(trials);
    std::thread::scope(|scope| {
        let lanes: Vec<_> = shares
            .into_iter()
            .map(|(bench, trials)| {
                scope.spawn(move || {
                    let tried = trials.into_iter().map(|one| {
                        let result = trial(bench, &one);
                        let word = if result.is_ok() { "as before" } else { "NOT as before" };
                        println!("matrix: {} x {} at {:.2} on {}: {word}", one.case.name, one.fault, one.moment, bench.host.name);
                        Outcome { case: one.case.name, fault: one.fault, result }
                    });
                    tried.collect::<Vec<_>>()
                })
            })
            .collect();
        lanes.into_iter().flat_map(|lane| lane.join().unwrap_or_default()).collect()
    })
}

fn rng() -> Result<Rng> {
    let seed = match std::env::var(SEED) {
        Ok(seed) => seed.parse().with_context(|| format!("{SEED} is no number"))?,
        Err(_) => fastrand::u64(..),
    };
    println!("matrix: {SEED}={seed}");
    Ok(Rng::with_seed(seed))
}
