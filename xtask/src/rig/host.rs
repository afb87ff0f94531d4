//! Throwaway hosts: Debian under systemd-nspawn, bare but for ssh.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;

use super::daemon::{Daemon, send};
use super::operator::Operator;
use super::place::{Place, clone};
use super::{disk, network};
use crate::run::{run, until};

/// From pressing the button to an sshd that answers.
const BOOT: Duration = Duration::from_secs(60);

/// A host of the rig, running or not.
pub struct Host {
    place: Place,
    /// As the inventory calls it: `droplet`, `droplet-2` …
    pub name: String,
    /// On the rig's bridge.
    pub address: String,
}

impl Host {
    /// The host of that number, 1 to 5.
    pub fn numbered(place: &Place, number: u8) -> Result<Self> {
        ensure!((1..=5).contains(&number), "the rig has hosts 1 to 5, not {number}");
        let name = if number == 1 { "droplet".to_owned() } else { format!("droplet-{number}") };
        Ok(Self { place: place.clone(), name, address: format!("203.0.113.{}", 9 + number) })
    }

    /// The host of that name.
    pub fn named(place: &Place, name: &str) -> Result<Self> {
        for host in Self::all(place)? {
            if host.name == name {
                return Ok(host);
            }
        }
        anyhow::bail!("no host is called {name}: droplet, droplet-2 … droplet-5")
    }

    /// All five.
    pub fn all(place: &Place) -> Result<Vec<Self>> {
        (1..=5).map(|number| Self::numbered(place, number)).collect()
    }

    /// Presses the button, on a fresh disk unless it has one; [`Host::answers`] tells when it is up.
    pub fn boot(&self, operator: &Operator) -> Result<Daemon> {
        if let Some(running) = self.daemon()? {
            return Ok(running);
        }
        let root = super::root::root(&self.place)?;
        if !self.folder().exists() {
            disk::make(self, &root, operator)?;
        }
        let mut boot = network::inside("unshare");
        boot.args(["--mount", "sh"]).arg(clone().join("tests/rig/host/boot.sh"));
        boot.arg(&self.name).arg(self.folder()).arg(root);
        Daemon::start(&self.place, &self.name, &boot)
    }

    /// Waits until its sshd shows its own host key and systemd has nothing left to start.
    pub fn answers(&self, daemon: &Daemon) -> Result<()> {
        let key = self.host_key()?;
        until(&format!("{} to answer ssh at {}", self.name, self.address), BOOT, || {
            ensure!(daemon.alive(), "{} did not stay up:\n{}", self.name, daemon.last_words(&self.place)?);
            if leader(daemon).is_none() {
                return Ok(None);
            }
            let seen = self.scan().unwrap_or_default();
            Ok(seen.contains(&key).then_some(()))
        })?;
        let state = run(self.exec()?.args(["sh", "-c", "systemctl is-system-running --wait || systemctl --failed --plain"]))?;
        ensure!(state.trim() == "running", "{} boots, but not well: {state}", self.name);
        Ok(())
    }

    /// Pulls the plug: nothing in it gets to say goodbye. Its disk stays.
    pub fn kill(&self) -> Result<()> {
        if let Some(daemon) = self.daemon()? {
            // The host's first process takes all others of its process namespace with it.
            if let Some(leader) = leader(&daemon) {
                send(leader, Signal::KILL)?;
            }
            daemon.end(&self.place, Signal::KILL)?;
        }
        network::unplug(&format!("vb-{}", self.name))?;
        super::cgroup::remove(&self.name)
    }

    /// Kills it and throws its disk away.
    pub fn discard(&self) -> Result<()> {
        self.kill()?;
        if self.folder().exists() {
            fs::remove_dir_all(self.folder()).with_context(|| format!("removing the disk of {}", self.name))?;
        }
        Ok(())
    }

    /// The front of a command that runs in it as root, not by ssh: for looking past the tool under test.
    pub fn exec(&self) -> Result<Command> {
        let daemon = self.daemon()?.with_context(|| format!("{} is not up", self.name))?;
        let leader = leader(&daemon).with_context(|| format!("{} is not up yet", self.name))?;
        let mut command = Command::new("nsenter");
        command.args(["--target", &leader.to_string(), "--all", "--wdns=/root", "env", "--ignore-environment"]);
        command.args(["HOME=/root", "LANG=C.UTF-8", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]);
        Ok(command)
    }

    /// Its public host key as the inventory wants it: `ssh-ed25519 AAAA…`.
    pub fn host_key(&self) -> Result<String> {
        let text = fs::read_to_string(self.folder().join("upper/etc/ssh/ssh_host_ed25519_key.pub"))?;
        Ok(text.split(' ').take(2).collect::<Vec<_>>().join(" "))
    }

    /// The sudo password of `appuser`.
    pub fn sudo_password(&self) -> Result<String> {
        Ok(fs::read_to_string(self.folder().join("sudo-password"))?.trim().to_owned())
    }

    /// The running system, if it runs.
    pub fn daemon(&self) -> Result<Option<Daemon>> {
        Daemon::find(&self.place, &self.name)
    }

    /// Its disk, and what belongs to it.
    pub fn folder(&self) -> PathBuf {
        self.place.state.join("hosts").join(&self.name)
    }

    fn scan(&self) -> Result<String> {
        run(network::inside("ssh-keyscan").args(["-T", "2", "-t", "ed25519", &self.address]))
    }
}

/// The process that is number 1 in the host.
fn leader(nspawn: &Daemon) -> Option<i32> {
    let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", nspawn.pid)).ok()?;
    children.split_whitespace().filter_map(|child| child.parse().ok()).find(|child: &i32| {
        let status = fs::read_to_string(format!("/proc/{child}/status")).unwrap_or_default();
        let ids = status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap_or_default();
        ids.split_whitespace().nth(1) == Some("1")
    })
}
