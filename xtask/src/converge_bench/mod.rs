//! `cargo xtask bench converge`: what asking costs, beside the floor and beside what people use today.

mod diff;
mod floor;
mod hosts;
mod peers;
mod program;
pub mod row;
pub mod setting;
pub mod stopwatch;
mod stragglers;

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, ensure};

use crate::rig::{Rig, clone};
use row::Row;
use setting::Setting;

/// What is wanted of a run.
pub struct Wanted {
    /// Only rows whose id begins so.
    pub only: Option<String>,
    /// Runs of ours and of the floor, of which the median counts.
    pub runs: usize,
    /// Runs of a peer on one host; a peer on many hosts takes minutes a run. None: peers are left out.
    pub peer_runs: usize,
}

impl Wanted {
    /// Whether a row of that id, or one below it, is wanted.
    pub fn wants(&self, id: &str) -> bool {
        self.only.as_ref().is_none_or(|only| id.starts_with(only.as_str()) || only.starts_with(id))
    }
}

/// Measures, prints a table and writes `target/bench/converge.json`.
///
/// # Errors
/// The rig does not come up, or something that is measured fails.
pub fn converge(wanted: &Wanted) -> Result<()> {
    let program = release()?;
    let mut rows = Vec::new();
    let mut measured = Ok(());
    if wanted.wants("P7") {
        rows.extend(program::rows(&program, wanted)?);
    }
    if ["P1", "P2", "P6", "P7-rss"].iter().any(|id| wanted.wants(id)) {
        Rig::down()?;
        let rig = Rig::up(None)?;
        measured = on_the_rig(&rig, &program, wanted, &mut rows);
        drop(rig);
        Rig::down()?;
    }
    // What was measured until something failed took half an hour.
    rows.retain(|row| wanted.only.as_ref().is_none_or(|only| row.id.starts_with(only.as_str())));
    row::write("converge", &rows).and(measured)
}

fn on_the_rig(rig: &Rig, program: &std::path::Path, wanted: &Wanted, rows: &mut Vec<Row>) -> Result<()> {
    let mut setting = Setting::converged(rig, program)?;
    if wanted.wants("P7-rss") {
        rows.push(program::resident(&setting, wanted)?);
    }
    if wanted.wants("P1") {
        hosts::p1(&setting, wanted, rows)?;
    }
    if wanted.wants("P2") {
        hosts::p2(&setting, wanted, rows)?;
    }
    if wanted.wants("P6") {
        rows.push(diff::row(&mut setting, wanted)?);
    }
    Ok(())
}

/// Builds what users get.
pub fn release() -> Result<PathBuf> {
    println!("building bedplate as users get it");
    let mut cargo = Command::new(env!("CARGO"));
    let status =
        cargo.args(["build", "--quiet", "--release", "--package", "bedplate", "--bin", "bedplate"]).current_dir(clone()).status()?;
    ensure!(status.success(), "cargo build --release: {status}");
    Ok(clone().join("target/release/bedplate"))
}
