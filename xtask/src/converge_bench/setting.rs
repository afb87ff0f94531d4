//! Where it is measured: one converged host of the rig, fifty sshd on it that stand for as many hosts, and lines to them.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use toml::{Table, Value};

use crate::bench::Bench;
use crate::project::Project;
use crate::relay::{Line, Relay};
use crate::rig::{Host, Rig, within};
use crate::run::{run, run_within};

/// As many hosts as P2 wants.
pub const MOST: u8 = 50;
/// The sshd of host `n` listens on this port plus `n`.
pub const SSHD: u16 = 2200;
/// From nothing to converged.
const BOOTSTRAP: Duration = Duration::from_secs(600);

/// Everything that is measured against.
pub struct Setting<'a> {
    /// The host and its project.
    pub bench: Bench<'a>,
}

/// Hosts at the end of lines of one length.
pub struct Network {
    /// Where they are dialled, the server first.
    pub addresses: Vec<String>,
    /// The project's inventory that names them.
    pub inventory: String,
    _relays: Vec<Relay>,
}

impl<'a> Setting<'a> {
    /// Boots a host and bootstraps it, as root by key so that nobody pays for sudo; gives it Python, which the peers need there.
    pub fn converged(rig: &'a Rig, program: &Path) -> Result<Self> {
        rig.operator.install(program)?;
        let host = rig.fresh(1)?;
        let mut project = Project::scratch(rig, &host, &host.name)?;
        let server = hosts(&mut project.inventory)?.first_mut().and_then(Value::as_table_mut).context("the example has a host")?;
        server.insert("user".into(), "root".into());
        project.save(&rig.operator)?;
        let setting = Self { bench: Bench { rig, host, project } };
        println!("bootstrapping the host that is measured");
        setting.bootstrap()?;
        setting.python()?;
        setting.sshd()?;
        Ok(setting)
    }

    /// Converges the host.
    pub fn bootstrap(&self) -> Result<()> {
        run_within(&mut self.bedplate(&["bootstrap", "inventory.toml"]), BOOTSTRAP).map(drop)
    }

    /// `bedplate` as the operator, in the project's folder.
    pub fn bedplate(&self, arguments: &[&str]) -> Command {
        self.bench.bedplate(arguments)
    }

    /// `count` hosts at `rtt` milliseconds. All but the first are agents, which are asked and, sharing the server's files, not converged.
    pub fn network(&self, count: u8, rtt: u8) -> Result<Network> {
        let lines = (1..=count).map(|number| (number, rtt)).collect::<Vec<_>>();
        self.lines(&format!("{count}-{rtt}"), &lines, SSHD)
    }

    /// Hosts by number, each at the end of a line of so many milliseconds; 255 stands for two seconds.
    pub fn lines(&self, name: &str, lines: &[(u8, u8)], ports: u16) -> Result<Network> {
        let relays = lines.iter().map(|&(number, rtt)| {
            let listen: SocketAddr = format!("127.0.{}.{number}:22", rtt.max(1)).parse()?;
            let server: SocketAddr = format!("{}:{}", self.bench.host.address, ports + u16::from(number)).parse()?;
            let rtt = if rtt == u8::MAX { Duration::from_secs(2) } else { Duration::from_millis(rtt.into()) };
            Ok(within(move || Relay::start(listen, server, Line { rtt, rate: None }))??)
        });
        let relays = relays.collect::<Result<Vec<_>>>()?;
        let addresses: Vec<String> = relays.iter().map(|relay| relay.address.ip().to_string()).collect();
        let inventory = format!("{name}.toml");
        self.inventory(&inventory, &addresses)?;
        Ok(Network { addresses, inventory, _relays: relays })
    }

    /// Writes an inventory of these hosts beside the project's own.
    pub fn inventory(&self, name: &str, addresses: &[String]) -> Result<()> {
        let mut inventory = self.bench.project.inventory.clone();
        let key = self.bench.host.host_key()?;
        let listed = hosts(&mut inventory)?;
        let mut server = listed.first().and_then(Value::as_table).cloned().context("the example has a host")?;
        server.insert("public_ip".into(), self.bench.host.address.clone().into());
        listed.clear();
        for (number, address) in addresses.iter().enumerate() {
            let mut host = if number == 0 { server.clone() } else { agent(number + 1) };
            host.insert("address".into(), address.clone().into());
            host.insert("user".into(), "root".into());
            host.insert("host_key".into(), key.clone().into());
            listed.push(Value::Table(host));
        }
        let path = self.bench.project.path(name);
        fs::write(&path, toml::to_string(&inventory)?)?;
        self.bench.rig.operator.own(&path, 0o644)
    }

    /// A program of Debian's, taken from here: hosts of the rig are bare, and Ansible's modules run in it.
    fn python(&self) -> Result<()> {
        let packages =
            "python3 python3-minimal python3.11 python3.11-minimal libpython3-stdlib libpython3.11-minimal libpython3.11-stdlib libexpat1";
        let pack = format!(
            "dpkg --listfiles {packages} | while read -r path; do [ -d \"$path\" ] || echo \"$path\"; done | tar -cf - -T - 2>/dev/null"
        );
        unpack(&self.bench.host, &pack, "/")?;
        let version = self.bench.look("python3 --version")?;
        ensure!(version.starts_with("Python 3"), "the host got no Python: {version}");
        Ok(())
    }

    /// Each sshd is one of its own, so that none meets another's limits. Those above `MOST` write down what they are told to run.
    fn sshd(&self) -> Result<()> {
        let start = format!(
            "mkdir -p /run/sshd
             for n in $(seq {MOST}); do /usr/sbin/sshd -p $(({SSHD} + n)) -o PidFile=none; done
             for n in 1 2; do
               /usr/sbin/sshd -p $(({LISTENING} + n)) -o PidFile=none -o \"ForceCommand=tee -a /root/told.$n | sh -c \\\"\\$SSH_ORIGINAL_COMMAND\\\"\"
             done"
        );
        self.bench.look(&start).map(drop)
    }
}

/// The listening sshd of host `n` is at this port plus `n`.
pub const LISTENING: u16 = 2300;

/// Unpacks in a folder of a host what a shell script here packs.
pub fn unpack(host: &Host, pack: &str, folder: &str) -> Result<()> {
    let mut unpack = host.exec()?;
    unpack.args(["tar", "-xf", "-", "-C", folder]);
    let words = std::iter::once(unpack.get_program()).chain(unpack.get_args());
    let unpack = words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
    run(Command::new("sh").args(["-c", &format!("{pack} | {unpack}")])).map(drop)
}

fn hosts(inventory: &mut Table) -> Result<&mut Vec<Value>> {
    inventory.get_mut("hosts").and_then(Value::as_array_mut).context("an inventory has hosts")
}

fn agent(number: usize) -> Table {
    Table::from_iter([("name".into(), format!("agent-{number}").into()), ("role".into(), "agent".into())])
}
