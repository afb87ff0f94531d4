//! A run whose line is in our hands.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use toml::{Table, Value};

use crate::bench::Bench;
use crate::project::merge;
use crate::relay::{Line, Relay};
use crate::rig::{BRIDGE, within};
use crate::run::{Ended, run, until};

/// An inventory that reaches the host through a relay.
pub const THROUGH: &str = "through.toml";

/// A line to the host's sshd, which runs reach by the inventory that [`Slow::start`] writes.
pub fn through(bench: &Bench<'_>, line: Line) -> Result<Relay> {
    let server: SocketAddr = format!("{}:22", bench.host.address).parse()?;
    let bridge: SocketAddr = format!("{BRIDGE}:0").parse()?;
    Ok(within(move || Relay::start(bridge, server, line))??)
}

/// The tool, running.
pub struct Slow {
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Slow {
    /// Starts the tool in the bench's project, with an inventory that reaches the host through the relay.
    pub fn start(bench: &Bench<'_>, relay: &Relay, arguments: &[&str]) -> Result<Self> {
        Self::describe(bench, relay, &bench.project.inventory)?;
        let arguments: Vec<&str> = arguments.iter().map(|word| if *word == "inventory.toml" { THROUGH } else { word }).collect();
        Self::spawn(bench, &arguments)
    }

    /// Writes an inventory as [`THROUGH`], its host reached through the relay.
    pub fn describe(bench: &Bench<'_>, relay: &Relay, inventory: &Table) -> Result<()> {
        let at = [
            ("address", BRIDGE.into()),
            ("port", i64::from(relay.address.port()).into()),
            ("public_ip", bench.host.address.clone().into()),
        ];
        let host = Table::from_iter(at.map(|(key, value): (&str, Value)| (key.to_owned(), value)));
        let mut inventory = inventory.clone();
        merge(&mut inventory, &Table::from_iter([("hosts".to_owned(), Value::Array(vec![host.into()]))]));
        let file = bench.project.path(THROUGH);
        fs::write(&file, toml::to_string(&inventory)?)?;
        bench.rig.operator.own(&file, 0o644)
    }

    /// Starts the tool in the bench's project, and does not wait.
    pub fn spawn(bench: &Bench<'_>, arguments: &[&str]) -> Result<Self> {
        let (stdout, stderr) = (bench.project.path("stdout"), bench.project.path("stderr"));
        let mut command = bench.bedplate(arguments);
        command.stdin(Stdio::null()).stdout(File::create(&stdout)?).stderr(File::create(&stderr)?);
        Ok(Self { child: command.spawn()?, stdout, stderr })
    }

    /// Waits for its end.
    pub fn ends(&mut self, limit: Duration) -> Result<Ended> {
        let end = until("the run to end", limit, || Ok(self.child.try_wait()?)).with_context(|| self.said().unwrap_or_default())?;
        Ok(Ended { status: Some(end), stdout: fs::read_to_string(&self.stdout)?, stderr: self.said()? })
    }

    /// Whether it has not ended yet.
    pub fn runs(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    /// `kill -9`.
    pub fn shoot(&mut self) -> Result<()> {
        ensure!(self.runs()?, "it has ended by itself\n{}", self.said()?);
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Ctrl-C.
    pub fn interrupt(&self) -> Result<()> {
        run(Command::new("kill").args(["-INT", &self.child.id().to_string()])).map(drop)
    }

    /// What it has said on stderr.
    pub fn said(&self) -> Result<String> {
        Ok(String::from_utf8_lossy(&fs::read(&self.stderr)?).into_owned())
    }
}

impl Drop for Slow {
    fn drop(&mut self) {
        // One that ended can't be killed, and need not be.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
