//! Hosts far away: one that gets a file, beside what people copy with, and five that get the same.

use std::fs;

use anyhow::{Context as _, Result};

use super::ground::{Cost, Ground, NEAR, Who};
use super::make::Maker;
use super::stories::{Floor, Part, Story};
use super::tell::{in_turn, pair};
use crate::converge_bench::Wanted;
use crate::converge_bench::row::Row;
use crate::converge_bench::stopwatch::{Sample, median};

/// As far as they are, milliseconds.
const FAR: u8 = 200;
/// And as large as what they get.
const LARGE: usize = 70_000_000;
/// As many as the rig has.
const HOSTS: u8 = 5;

/// One host.
pub fn one(ground: &mut Ground<'_>, maker: &Maker, wanted: &Wanted, rows: &mut Vec<Row>) -> Result<()> {
    ground.stretch(FAR)?;
    let layer = maker.random(LARGE)?;
    let path = ground.setting.bench.project.path("dist/file");
    fs::write(&path, &layer)?;
    ground.setting.bench.rig.operator.own(&path, 0o644)?;
    let part = |archive| Part {
        id: Some("P8-1h"),
        work: format!("a file of {} MB that no packing makes less to one host, as an image of one layer", LARGE / 1_000_000),
        archive,
        floor: Floor::Bytes(layer.len() as f64),
        whole: None,
    };
    let story = |archive| Story { rtt: FAR, rate: None, parts: vec![part(archive)] };
    let (ours, theirs) = (story(maker.image("far.tar", &[&layer])?), story(path));
    let peers = [Who::Scp, Who::Sftp].into_iter().filter(|_| wanted.peer_runs > 0).map(|peer| (peer, &theirs, wanted.peer_runs));
    let costs = in_turn(ground, &[(Who::Bedplate, &ours, wanted.runs)].into_iter().chain(peers).collect::<Vec<_>>())?;
    let costs: Vec<(&str, &[Cost])> = costs.iter().map(|(name, costs)| (*name, costs[0].as_slice())).collect();
    let ((_, ours), costs) = costs.split_first().context("somebody tells it")?;
    let line_of = |costs: &[Cost]| median(costs.iter().map(|cost| cost.line));
    rows.extend(pair(&theirs, &theirs.parts[0], ours, costs, &[], wanted.runs));
    rows.push(Row {
        id: "P8-1h-line-seconds".into(),
        work: format!("of that what the file takes on the line: all but its first and last hundredth; {FAR} ms"),
        unit: "s",
        ours: line_of(ours),
        floor: None,
        peers: costs.iter().map(|(name, costs)| ((*name).to_owned(), line_of(costs))).collect(),
        runs: wanted.runs,
    });
    ground.stretch(NEAR)
}

/// Five hosts beside one: the same file to each of them.
pub fn five(ground: &mut Ground<'_>, maker: &Maker, wanted: &Wanted, rows: &mut Vec<Row>) -> Result<()> {
    ground.stretch(FAR)?;
    let fleet = ground.fleet(HOSTS, FAR)?;
    ground.put(&maker.image("far.tar", &[&maker.random(LARGE)?])?)?;
    let pushed = |name: &str| -> Result<Vec<Sample>> {
        let run = |_| {
            ground.forget()?;
            fleet.forget()?;
            let sample = ground.timed(name)?;
            println!("P8-5h: {name}: {:.2} s, {:.2} s of processor time", sample.wall, sample.processor);
            Ok(sample)
        };
        (0..wanted.runs).map(run).collect()
    };
    let (all, one) = (pushed(&fleet.inventory)?, pushed(super::ground::INVENTORY)?);
    let work = format!("the same file to {HOSTS} hosts, the server first; floor: to one of them; processor: bedplate's own; {FAR} ms");
    let row = |id: &str, of: fn(&Sample) -> f64| Row {
        id: id.into(),
        work: work.clone(),
        unit: "s",
        ours: median(all.iter().map(of)),
        floor: Some(median(one.iter().map(of))),
        peers: Default::default(),
        runs: wanted.runs,
    };
    rows.extend([row("P8-5h-seconds", |sample| sample.wall), row("P8-5h-processor", |sample| sample.processor)]);
    ground.stretch(NEAR)
}
