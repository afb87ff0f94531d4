//! Stories told by everybody in turn, and rows made of what they cost.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};

use super::far;
use super::ground::{Cost, Ground, Who};
use super::make::Maker;
use super::stories::{self, Floor, Part, Story, THIN};
use crate::converge_bench::Wanted;
use crate::converge_bench::row::Row;
use crate::converge_bench::stopwatch::median;

/// Makes what is pushed.
type Tale = fn(&Maker) -> Result<Story>;

/// All that is wanted.
pub fn all(ground: &mut Ground<'_>, wanted: &Wanted, rows: &mut Vec<Row>) -> Result<()> {
    let maker = Maker::new(ground.setting.bench.rig)?;
    let stories: [(&str, Tale); 6] = [
        ("P4-", stories::large),
        ("P5-file", |maker| stories::file(maker, "P5-file", None)),
        ("P5-binary", |maker| stories::binary(maker, "P5-binary", None)),
        ("P4b-first", stories::small),
        ("P4b-file", |maker| stories::file(maker, "P4b-file", Some(THIN))),
        ("P4b-binary", |maker| stories::binary(maker, "P4b-binary", Some(THIN))),
    ];
    for (id, story) in stories {
        // A story is told whole: its later parts build upon the first.
        if wanted.wants(id) || (id == "P4b-first" && ["P4b-same", "P4b-changed"].iter().any(|id| wanted.wants(id))) {
            told(ground, &story(&maker)?, wanted, rows)?;
        }
    }
    if wanted.wants("P8-1h") {
        far::one(ground, &maker, wanted, rows)?;
    }
    // The last: it makes other hosts' server of the first.
    if wanted.wants("P8-5h") {
        far::five(ground, &maker, wanted, rows)?;
    }
    Ok(())
}

fn told(ground: &Ground<'_>, story: &Story, wanted: &Wanted, rows: &mut Vec<Row>) -> Result<()> {
    let alone = story.parts.iter().all(|part| part.whole.is_none());
    let peers: &[Who] = if alone { &[Who::Pipe, Who::Skopeo] } else { &[] };
    let tellers: Vec<Teller<'_>> = [(Who::Bedplate, story, wanted.runs)]
        .into_iter()
        .chain(peers.iter().filter(|_| wanted.peer_runs > 0).map(|peer| (*peer, story, wanted.peer_runs)))
        .collect();
    let costs = in_turn(ground, &tellers)?;
    let (ours, peers) = costs.split_first().context("somebody tells it")?;
    let login = by_itself(ground, story.rate, wanted.runs)?;
    for (at, part) in story.parts.iter().enumerate().filter(|(_, part)| part.id.is_some()) {
        let costs: Vec<(&str, &[Cost])> = peers.iter().map(|(name, costs)| (*name, costs[at].as_slice())).collect();
        rows.extend(pair(story, part, &ours.1[at], &costs, &login, wanted.runs));
    }
    Ok(())
}

/// A list a part.
pub type Costs = Vec<Vec<Cost>>;

/// Who tells what, and how often.
pub type Teller<'a> = (Who, &'a Story, usize);

/// All in turn, again and again: what the machine is up to meanwhile, all suffer who still have runs to do. Of each its name and its costs.
pub fn in_turn(ground: &Ground<'_>, tellers: &[Teller<'_>]) -> Result<Vec<(&'static str, Costs)>> {
    let none = |(who, story, _): &Teller<'_>| (who.name(), story.parts.iter().map(|_| Vec::new()).collect());
    let mut all: Vec<(_, Costs)> = tellers.iter().map(none).collect();
    for run in 0..tellers.iter().map(|(.., runs)| *runs).max().unwrap_or_default() {
        for ((who, story, runs), (_, costs)) in tellers.iter().zip(&mut all) {
            if run < *runs {
                once(ground, story, *who, costs)?;
            }
        }
    }
    Ok(all)
}

fn once(ground: &Ground<'_>, story: &Story, who: Who, costs: &mut [Vec<Cost>]) -> Result<()> {
    ground.forget()?;
    for (part, costs) in story.parts.iter().zip(costs) {
        ground.put(&part.archive)?;
        ground.pace(part.id.and(story.rate));
        let cost = ground.send(who);
        ground.pace(None);
        let cost = cost?;
        println!("{}: {} {} bytes, {:.2} s", part.id.unwrap_or("before"), who.name(), cost.bytes, cost.seconds);
        costs.push(cost);
    }
    Ok(())
}

fn by_itself(ground: &Ground<'_>, rate: Option<u64>, runs: usize) -> Result<Vec<Cost>> {
    ground.pace(rate);
    let costs = (0..runs).map(|_| ground.send(Who::Login)).collect();
    ground.pace(None);
    costs
}

/// A row of bytes and one of seconds. On a thin line nothing is faster than the least bytes after a login.
pub fn pair(story: &Story, part: &Part, ours: &[Cost], peers: &[(&str, &[Cost])], login: &[Cost], runs: usize) -> [Row; 2] {
    let (id, rtt) = (part.id.unwrap_or_default(), story.rtt);
    let line = story.rate.map_or_else(String::new, |rate| format!(", {} kbit/s", rate * 8 / 1000));
    let work = format!("{}; {rtt} ms{line}", part.work);
    let bytes = match part.floor {
        Floor::Bytes(bytes) => bytes,
        Floor::Login => bytes_of(login),
    };
    let seconds = match (part.floor, story.rate) {
        (Floor::Login, _) => Some(seconds_of(login)),
        (Floor::Bytes(bytes), Some(rate)) => Some(bytes / rate as f64),
        (Floor::Bytes(_), None) => None,
    };
    let mut sent: BTreeMap<String, f64> = peers.iter().map(|(name, costs)| ((*name).to_owned(), bytes_of(costs))).collect();
    sent.extend(part.whole.map(|bytes| ("whole".to_owned(), bytes)));
    let took = peers.iter().map(|(name, costs)| ((*name).to_owned(), seconds_of(costs))).collect();
    let row = |kind: &str, unit, ours, floor, peers| Row { id: format!("{id}-{kind}"), work: work.clone(), unit, ours, floor, peers, runs };
    [row("bytes", "B", bytes_of(ours), Some(bytes), sent), row("seconds", "s", seconds_of(ours), seconds, took)]
}

fn bytes_of(costs: &[Cost]) -> f64 {
    median(costs.iter().map(|cost| cost.bytes))
}

fn seconds_of(costs: &[Cost]) -> f64 {
    median(costs.iter().map(|cost| cost.seconds))
}
