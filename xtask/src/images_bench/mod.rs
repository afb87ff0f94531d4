//! `cargo xtask bench images`: what a push costs, in bytes on the line and in seconds, beside the floor and beside what people use today.

mod far;
mod fleet;
mod ground;
mod make;
mod stories;
mod tell;

use anyhow::Result;

use crate::converge_bench::{Wanted, release, row};
use crate::rig::Rig;
use ground::Ground;

/// Measures, prints a table and writes `target/bench/images.json`.
///
/// # Errors
/// The rig does not come up, or something that is measured fails.
pub fn images(wanted: &Wanted) -> Result<()> {
    let program = release()?;
    Rig::down()?;
    let rig = Rig::up(None)?;
    let mut rows = Vec::new();
    let measured = Ground::made(&rig, &program).and_then(|mut ground| tell::all(&mut ground, wanted, &mut rows));
    drop(rig);
    Rig::down()?;
    rows.retain(|row| wanted.only.as_ref().is_none_or(|only| row.id.starts_with(only.as_str())));
    // What was measured until something failed counts, too.
    row::write("images", &rows).and(measured)
}
