//! What a dead host and a slow one cost the others.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::hosts::HOST_FACTS;
use super::setting::{MOST, Network, Setting};
use super::stopwatch::median;
use crate::rig::inside;
use crate::run::run;

/// Where the dead one is dialled: every packet to it is dropped.
const DEAD: &str = "127.0.254.254";
/// Stands for two seconds.
const SLOW: u8 = u8::MAX;

/// Seconds until the answers of 48 hosts are in: beside a dead one and one at two seconds, and by themselves.
pub fn others(setting: &Setting<'_>, runs: usize) -> Result<(f64, f64)> {
    let well = MOST - 2;
    let mut lines: Vec<(u8, u8)> = (1..=well).map(|number| (number, 0)).collect();
    let alone = setting.lines("alone", &lines, super::setting::SSHD)?;
    let by_themselves = (0..runs).map(|_| answered(setting, &alone, well)).collect::<Result<Vec<_>>>()?;
    drop(alone);
    lines.push((MOST - 1, SLOW));
    let beside = setting.lines("beside", &lines, super::setting::SSHD)?;
    let addresses: Vec<String> = beside.addresses.iter().cloned().chain([DEAD.to_owned()]).collect();
    setting.inventory(&beside.inventory, &addresses)?;
    run(inside("iptables").args(["--insert", "INPUT", "--destination", DEAD, "--jump", "DROP"]))?;
    let with_stragglers = (0..runs).map(|_| answered(setting, &beside, well)).collect::<Result<Vec<_>>>()?;
    Ok((median(with_stragglers), median(by_themselves)))
}

/// Seconds until the last answer of the first `count` hosts.
fn answered(setting: &Setting<'_>, network: &Network, count: u8) -> Result<f64> {
    let mut look = setting.bedplate(&[&["--json", "verify"], &HOST_FACTS[..], &[network.inventory.as_str()]].concat());
    let begun = Instant::now();
    let mut child = look.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let mut last: BTreeMap<String, f64> = BTreeMap::new();
    for line in BufReader::new(child.stdout.take().context("its output is a pipe")?).lines() {
        let event: Value = serde_json::from_str(&line?)?;
        if let (Some("answered"), Some(host)) = (event["event"].as_str(), event["host"].as_str()) {
            last.insert(host.to_owned(), begun.elapsed().as_secs_f64());
        }
    }
    child.wait()?;
    last.retain(|host, _| host.strip_prefix("agent-").is_none_or(|number| number.parse::<u8>().is_ok_and(|number| number <= count)));
    ensure!(last.len() == usize::from(count), "{} of {count} hosts answered", last.len());
    last.into_values().max_by(f64::total_cmp).context("nobody answered")
}
