//! `cargo xtask matrix`: every kind of action, interrupted in every way.

use anyhow::{Result, ensure};

use crate::e2e::Context;
use crate::e2e::matrix::{Fault, all};
use crate::rig::Rig;

/// Tries the cases whose name begins with `only`, by all faults or by one, and prints a table.
///
/// # Errors
/// Something is not as it was before the fault.
pub fn matrix(only: Option<&str>, fault: Option<Fault>) -> Result<()> {
    Rig::down()?;
    let rig = Rig::up(None)?;
    let context = Context::new(&rig);
    let outcomes = all(&context, only, fault);
    drop(context);
    drop(rig);
    Rig::down()?;
    let outcomes = outcomes?;

    let mut cases: Vec<&str> = outcomes.iter().map(|outcome| outcome.case).collect();
    cases.dedup();
    cases.sort_unstable();
    cases.dedup();
    println!("| action | {} |\n|---|{}", Fault::ALL.map(|fault| fault.to_string()).join(" | "), "---|".repeat(Fault::ALL.len()));
    for case in cases {
        let cells = Fault::ALL.map(|fault| {
            let outcome = outcomes.iter().find(|outcome| outcome.case == case && outcome.fault == fault);
            outcome.map_or_else(String::new, |outcome| match &outcome.result {
                Ok(seconds) => format!("{seconds:.0} s"),
                Err(_) => "FAILED".to_owned(),
            })
        });
        println!("| {case} | {} |", cells.join(" | "));
    }
    let failed: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.result.as_ref().err().map(|error| (outcome, error))).collect();
    for (outcome, error) in &failed {
        println!("\n{} x {}: {error:#}", outcome.case, outcome.fault);
    }
    ensure!(failed.is_empty(), "{} of {} are not as before", failed.len(), outcomes.len());
    println!("all {} as before", outcomes.len());
    Ok(())
}
