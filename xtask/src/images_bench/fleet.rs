//! Agents beside the host that is measured, each at the end of a line of its own.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use toml::{Table, Value};

use super::ground::{ZSTD, forgotten, noted};
use crate::converge_bench::setting::{Setting, unpack};
use crate::relay::{Line, Relay};
use crate::rig::{Host, within};
use crate::run::run;

/// The server and its agents.
pub struct Fleet {
    /// The project's inventory that names them.
    pub inventory: String,
    agents: Vec<Host>,
    _relays: Vec<Relay>,
}

impl Fleet {
    /// Boots and joins the agents, which makes `hosts` of them with the server, and leads a line of `rtt` milliseconds to each.
    pub fn made(setting: &mut Setting<'_>, hosts: u8, rtt: u8) -> Result<Self> {
        let images = setting.bench.project.inventory.remove("images").context("there are images")?;
        let agents = setting.bench.agents(2..=hosts)?;
        println!("{} agents join", agents.len());
        setting.bootstrap()?;
        for agent in &agents {
            unpack(agent, ZSTD, "/usr/local/bin")?;
            look(agent, &noted())?;
        }
        let mut inventory = setting.bench.project.inventory.clone();
        setting.bench.project.inventory.insert("images".into(), images.clone());
        inventory.insert("images".into(), images);
        let listed = inventory.get_mut("hosts").and_then(Value::as_array_mut).context("an inventory has hosts")?;
        ensure!(listed.len() == usize::from(hosts), "{} hosts are listed, not {hosts}", listed.len());
        let relays = listed.iter_mut().zip(1..).map(|(host, number)| lead(host.as_table_mut().context("a host is a table")?, number, rtt));
        let relays = relays.collect::<Result<Vec<_>>>()?;
        let name = format!("{hosts}-{rtt}.toml");
        write(setting, &name, &inventory)?;
        Ok(Self { inventory: name, agents, _relays: relays })
    }

    /// As if nothing had ever been sent to the agents.
    pub fn forget(&self) -> Result<()> {
        self.agents.iter().try_for_each(|agent| look(agent, &forgotten()))
    }
}

fn look(host: &Host, script: &str) -> Result<()> {
    run(host.exec()?.args(["sh", "-c", script])).map(drop)
}

/// A line to a host, by which it is reached from now on.
fn lead(host: &mut Table, number: u8, rtt: u8) -> Result<Relay> {
    let address = host.get("address").and_then(Value::as_str).context("a host has an address")?.to_owned();
    let (listen, server) = (format!("127.1.{rtt}.{number}:22").parse()?, format!("{address}:22").parse()?);
    let line = Line { rtt: Duration::from_millis(rtt.into()), rate: None };
    let relay = within(move || Relay::start(listen, server, line))??;
    host.insert("address".into(), relay.address.ip().to_string().into());
    host.insert("public_ip".into(), address.into());
    Ok(relay)
}

fn write(setting: &Setting<'_>, name: impl AsRef<Path>, inventory: &Table) -> Result<()> {
    let path = setting.bench.project.path(name);
    fs::write(&path, toml::to_string(inventory)?)?;
    setting.bench.rig.operator.own(&path, 0o644)
}
