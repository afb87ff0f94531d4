//! P1 and P2: asking one, ten and fifty hosts.

use std::collections::BTreeMap;

use anyhow::Result;

use super::Wanted;
use super::floor::{Probe, command, slowest_read};
use super::peers::{Peer, Peers};
use super::row::Row;
use super::setting::{MOST, Network, Setting};
use super::stopwatch::{Sample, Watch, in_turn, median};
use super::stragglers;

/// Round trips are the slope of the time between these lengths of the line, milliseconds.
const NEAR: u8 = 20;
const FAR: u8 = 120;
/// One host is converged; of several the agents, which share the server's files, are not.
const CODES: &[i32] = &[0, 1];
/// Narrows a look to what concerns hosts.
pub const HOST_FACTS: [&str; 10] = ["--step", "preflight", "--step", "helm", "--step", "k3s", "--step", "kubeconfig", "--step", "images"];

/// One and ten hosts.
pub fn p1(setting: &Setting<'_>, wanted: &Wanted, rows: &mut Vec<Row>) -> Result<()> {
    let [server, agent] = Probe::overhear(setting)?.questions;
    println!("asked of the server: {server} questions, of an agent: {agent}; slowest API read: {:.0} ms", slowest_read(setting)? * 1000.0);
    for (id, count, rtt) in [("P1-1h-0ms", 1, 0), ("P1-1h-50ms", 1, 50), ("P1-10h-0ms", 10, 0), ("P1-10h-50ms", 10, 50)] {
        if !wanted.wants(id) {
            continue;
        }
        let network = setting.network(count, rtt)?;
        let samples = beside_floor(setting, &network, &[], Watch::Time, wanted.runs)?;
        // A peer takes minutes for ten.
        let runs = if count == 1 { wanted.peer_runs } else { wanted.peer_runs.div_ceil(3) };
        let peers = peers(setting, &network, runs, &Peer::ALL)?;
        let work = format!(
            "`bedplate verify`, hosts: {count}, round trip: {rtt} ms; {server} questions to the server's shell, {agent} to an agent's, and the \
             API's; peers: the shells' only, {runs} runs"
        );
        rows.push(Row {
            id: id.into(),
            work,
            unit: "s",
            ours: wall(&samples[0]),
            floor: Some(wall(&samples[1])),
            peers,
            runs: wanted.runs,
        });
    }
    if wanted.wants("P1-rtts") {
        let (near, far) = (setting.network(1, NEAR)?, setting.network(1, FAR)?);
        for (id, narrow, what) in [("P1-rtts", &[][..], "with the API"), ("P1-rtts-host", &HOST_FACTS[..], "host facts only")] {
            let near = beside_floor(setting, &near, narrow, Watch::Time, wanted.runs)?;
            let far = beside_floor(setting, &far, narrow, Watch::Time, wanted.runs)?;
            let slope = |at: usize| (wall(&far[at]) - wall(&near[at])) * 1000.0 / f64::from(FAR - NEAR);
            let work = format!("round trips of `bedplate verify`, {what}: slope between {NEAR} and {FAR} ms");
            rows.push(Row {
                id: id.into(),
                work,
                unit: "RTT",
                ours: slope(0),
                floor: Some(slope(1)),
                peers: BTreeMap::new(),
                runs: wanted.runs,
            });
        }
    }
    Ok(())
}

/// Fifty hosts.
pub fn p2(setting: &Setting<'_>, wanted: &Wanted, rows: &mut Vec<Row>) -> Result<()> {
    Probe::overhear(setting)?;
    let network = setting.network(MOST, 0)?;
    let samples = beside_floor(setting, &network, &HOST_FACTS, Watch::Memory, wanted.runs)?;
    let ours = |value: fn(&Sample) -> f64| median(samples[0].iter().map(value));
    let row = |id: &str, work: &str, unit, ours, floor, peers| Row {
        id: id.into(),
        work: work.into(),
        unit,
        ours,
        floor,
        peers,
        runs: wanted.runs,
    };
    if wanted.wants("P2-time") {
        let peers = peers(setting, &network, wanted.peer_runs.min(1), &[Peer::Ansible])?;
        let work = "host facts of 50 hosts, all of them well; Ansible: forks = 50, 1 run";
        rows.push(row("P2-time", work, "s", wall(&samples[0]), Some(wall(&samples[1])), peers));
        // Its addresses are wanted again.
        drop(network);
        let (others, alone) = stragglers::others(setting, wanted.runs)?;
        let work = "until the host facts of 48 are in, beside a dead host and one at 2 s; floor: the same 48 by themselves";
        rows.push(row("P2-others", work, "s", others, Some(alone), BTreeMap::new()));
    }
    let work = "client processor time a host, without ssh's";
    rows.push(row("P2-cpu", work, "ms", ours(|sample| sample.processor) * 1000.0 / f64::from(MOST), None, BTreeMap::new()));
    rows.push(row("P2-rss", "peak RSS, 50 hosts, without ssh's", "MB", ours(|sample| sample.resident / 1e6), None, BTreeMap::new()));
    Ok(())
}

fn beside_floor(setting: &Setting<'_>, network: &Network, narrow: &[&str], watch: Watch, runs: usize) -> Result<Vec<Vec<Sample>>> {
    let look = setting.bedplate(&[&["verify"], narrow, &[network.inventory.as_str()]].concat());
    in_turn(runs, watch, vec![("bedplate verify", look, CODES), ("the floor", command(setting, network), CODES)])
}

fn peers(setting: &Setting<'_>, network: &Network, runs: usize, which: &[Peer]) -> Result<BTreeMap<String, f64>> {
    let mut medians = BTreeMap::new();
    if runs == 0 {
        return Ok(medians);
    }
    let peers = Peers::install(setting)?;
    for &peer in which {
        println!("{}: {runs} runs on {} host(s)", peer.name(), network.addresses.len());
        match in_turn(runs, Watch::Time, vec![(peer.name(), peers.command(peer, setting, network), &[0])]) {
            Ok(samples) => _ = medians.insert(peer.name().to_owned(), wall(&samples[0])),
            // A peer that does not run here is no reason to measure nothing.
            Err(error) => println!("{} was not measured: {error:#}", peer.name()),
        }
    }
    Ok(medians)
}

fn wall(samples: &[Sample]) -> f64 {
    median(samples.iter().map(|sample| sample.wall))
}
