//! Why a login or the way to root fails: told from the first try, each with its exit code, what was seen and the cure.

mod key;
mod root;
mod way;

pub use key::{agent_empty, key_locked, key_refused, no_key, too_many};
pub use root::{account, disk_full, nologin, password, password_expired, password_wanted, requiretty, sudoers};
pub use way::{forwarding, jump, key_changed, key_unknown, name, port, throttled, timeout};

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::bench::Bench;

/// Changes the inventory's host.
fn edit(bench: &mut Bench<'_>, change: impl FnOnce(&mut toml::Table)) -> Result<()> {
    let host = bench.project.inventory.get_mut("hosts").and_then(|hosts| hosts.get_mut(0)).and_then(toml::Value::as_table_mut);
    change(host.context("the inventory has a host")?);
    bench.project.save(&bench.rig.operator)
}

/// Lines in the host's sshd_config for as long as the value lives.
pub(super) struct Sshd<'a>(&'a Bench<'a>);

impl<'a> Sshd<'a> {
    pub(super) fn set(bench: &'a Bench<'a>, lines: &str) -> Result<Self> {
        bench.look(&format!("echo '{lines}' >/etc/ssh/sshd_config.d/00-test.conf; sshd -t && systemctl reload ssh"))?;
        Ok(Self(bench))
    }
}

impl Drop for Sshd<'_> {
    fn drop(&mut self) {
        // A host that is gone needs no mending.
        let _ = self.0.look("rm -f /etc/ssh/sshd_config.d/00-test.conf; systemctl reload ssh");
    }
}

/// A file in the operator's ~/.ssh for as long as the value lives.
pub(super) struct Config(PathBuf);

impl Config {
    /// `config`.
    pub(super) fn write(bench: &Bench<'_>, text: &str) -> Result<Self> {
        Self::file(bench, "config", text)
    }

    fn file(bench: &Bench<'_>, name: &str, text: &str) -> Result<Self> {
        let path = bench.rig.operator.home().join(".ssh").join(name);
        fs::write(&path, text)?;
        bench.rig.operator.own(&path, 0o600)?;
        Ok(Self(path))
    }
}

impl Drop for Config {
    fn drop(&mut self) {
        // Whoever reads it next would say so.
        let _ = fs::remove_file(&self.0);
    }
}

/// The host's key in the operator's known_hosts.
pub(super) fn known(bench: &Bench<'_>) -> Result<Config> {
    Config::file(bench, "known_hosts", &format!("{} {}\n", bench.host.address, bench.host.host_key()?))
}
