//! A row of the table, and the file that holds all of them.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::rig::clone;

/// What was measured of one piece of work.
#[derive(Serialize)]
pub struct Row {
    /// Its name in the table.
    pub id: String,
    /// What was done.
    pub work: String,
    /// Of all values.
    pub unit: &'static str,
    /// Median of ours.
    pub ours: f64,
    /// Median of the least that it could cost; none: there is no such thing.
    pub floor: Option<f64>,
    /// Medians of others.
    pub peers: BTreeMap<String, f64>,
    /// How often ours and the floor were run.
    pub runs: usize,
}

/// Prints the table and writes it as `target/bench/NAME.json`.
///
/// # Errors
/// The file can't be written.
pub fn write(name: &str, rows: &[Row]) -> Result<()> {
    println!("{:<20} {:>9} {:>9} {:>7}  {:<4} peers", "id", "ours", "floor", "ratio", "unit");
    for row in rows {
        let floor = row.floor.map_or_else(|| "-".into(), |floor| format!("{floor:.3}"));
        let ratio = row.floor.map_or_else(|| "-".into(), |floor| format!("{:.2}", row.ours / floor));
        let peers = row.peers.iter().map(|(name, value)| format!("{name} {value:.2} ({:.1}x)", value / row.ours)).collect::<Vec<_>>();
        println!("{:<20} {:>9.3} {floor:>9} {ratio:>7}  {:<4} {}", row.id, row.ours, row.unit, peers.join(", "));
        println!("    {}; {} runs", row.work, row.runs);
    }
    let folder = clone().join("target/bench");
    fs::create_dir_all(&folder)?;
    let path = folder.join(format!("{name}.json"));
    fs::write(&path, serde_json::to_string_pretty(rows)?).with_context(|| format!("writing {}", path.display()))
}
