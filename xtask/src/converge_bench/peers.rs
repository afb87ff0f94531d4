//! What people use today, checking the same facts: kept in `benches/peers/`, installed from PyPI into the cache.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use super::setting::{Network, Setting};
use crate::rig::{clone, inside};
use crate::run::run_within;

/// For packages to arrive and unpack.
const INSTALL: Duration = Duration::from_secs(600);

/// Programs that check what bedplate checks.
#[derive(Clone, Copy, PartialEq)]
pub enum Peer {
    Ansible,
    /// Ansible with mitogen's strategy.
    Mitogen,
    Pyinfra,
}

impl Peer {
    pub const ALL: [Self; 3] = [Self::Ansible, Self::Mitogen, Self::Pyinfra];

    /// As the table names it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ansible => "ansible",
            Self::Mitogen => "mitogen",
            Self::Pyinfra => "pyinfra",
        }
    }
}

/// The peers, installed.
pub struct Peers {
    venv: PathBuf,
}

impl Peers {
    /// Installs them once.
    pub fn install(setting: &Setting<'_>) -> Result<Self> {
        let venv = setting.bench.rig.place.cache.join("peers/venv");
        if !venv.join("bin/pyinfra").exists() {
            println!("installing the peers");
            run_within(Command::new("python3").args(["-m", "venv"]).arg(&venv), INSTALL)?;
            let wanted = clone().join("benches/peers/requirements.txt");
            run_within(Command::new(venv.join("bin/pip")).args(["install", "--quiet", "--requirement"]).arg(wanted), INSTALL)?;
        }
        Ok(Self { venv })
    }

    /// A cold run of a peer on these hosts: no connection is left from the run before.
    pub fn command(&self, peer: Peer, setting: &Setting<'_>, network: &Network) -> Command {
        let script = match peer {
            Peer::Ansible | Peer::Mitogen => {
                "export ANSIBLE_SSH_CONTROL_PATH_DIR=$(mktemp -d)
                 ansible-playbook --inventory \"$hosts,\" --forks \"$count\" --user root --private-key \"$key\" --extra-vars \"server=$server\" facts.yml
                 code=$?; for s in \"$ANSIBLE_SSH_CONTROL_PATH_DIR\"/*; do ssh -O exit -S \"$s\" x 2>/dev/null; done
                 rm -rf \"$ANSIBLE_SSH_CONTROL_PATH_DIR\"; exit $code"
            }
            Peer::Pyinfra => {
                "pyinfra --yes --parallel \"$count\" --user root --key \"$key\" --data ssh_known_hosts_file=\"$known\" --data \"server=$server\" \"$hosts\" facts.py"
            }
        };
        let mut command = inside("bash");
        command.args(["-c", script]).current_dir(clone().join("benches/peers"));
        let path = format!("{}:{}", self.venv.join("bin").display(), std::env::var("PATH").unwrap_or_default());
        let known = setting.bench.project.path("known_hosts");
        let arguments = format!("-oControlMaster=auto -oControlPersist=60s -oUserKnownHostsFile={}", known.display());
        command.env("PATH", path).env("hosts", network.addresses.join(",")).env("count", network.addresses.len().to_string());
        command.env("key", setting.bench.rig.operator.key()).env("known", &known).env("server", &network.addresses[0]);
        command.env("ANSIBLE_CONFIG", "ansible.cfg").env("ANSIBLE_SSH_ARGS", arguments);
        if peer == Peer::Mitogen {
            let site = format!("{}/lib/python3.11/site-packages/ansible_mitogen/plugins/strategy", self.venv.display());
            command.env("ANSIBLE_STRATEGY", "mitogen_linear").env("ANSIBLE_STRATEGY_PLUGINS", site);
        }
        command
    }
}
