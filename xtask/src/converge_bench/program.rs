//! P7: the program itself.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};

use super::Wanted;
use super::row::Row;
use super::setting::Setting;
use super::stopwatch::{Watch, in_turn, median};

/// `--version` is over in milliseconds, so many runs cost nothing.
const STARTS: usize = 50;

/// Start and size.
pub fn rows(program: &Path, wanted: &Wanted) -> Result<Vec<Row>> {
    let mut version = Command::new(program);
    version.arg("--version");
    let samples =
        in_turn(STARTS.max(wanted.runs), Watch::Time, vec![("bedplate --version", version, &[0]), ("true", Command::new("true"), &[0])])?;
    let wall = |at: usize| median(samples[at].iter().map(|sample| sample.wall * 1000.0));
    let size = std::fs::metadata(program)?.len() as f64 / 1e6;
    Ok(vec![
        row("P7-start", "`bedplate --version`; floor: `true`", "ms", wall(0), Some(wall(1)), samples[0].len()),
        row("P7-size", "the stripped release binary", "MB", size, None, 1),
    ])
}

/// Memory of a converged run.
pub fn resident(setting: &Setting<'_>, wanted: &Wanted) -> Result<Row> {
    let network = setting.network(1, 0)?;
    let samples = in_turn(wanted.runs, Watch::Memory, vec![("bedplate verify", setting.bedplate(&["verify", &network.inventory]), &[0])])?;
    let resident = median(samples[0].iter().map(|sample| sample.resident / 1e6));
    ensure!(resident > 0.0, "no memory was seen");
    Ok(row("P7-rss", "peak RSS of `bedplate verify` on one converged host", "MB", resident, None, wanted.runs))
}

fn row(id: &str, work: &str, unit: &'static str, ours: f64, floor: Option<f64>, runs: usize) -> Row {
    Row { id: id.into(), work: work.into(), unit, ours, floor, peers: BTreeMap::new(), runs }
}
