//! Hosts that won't have us, or are not who they should be.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use super::{broken, refused};
use crate::bench::Bench;
use crate::e2e::Context;
use crate::run::run;

/// A wrong sudo password: tried once, since more tries may lock the account.
pub fn password(context: &Context) -> Result<()> {
    let bench = broken(context)?;
    let tries = || -> Result<usize> {
        let script = "journalctl --sync; journalctl --quiet --identifier=sudo --output=cat --grep='incorrect password' || true";
        Ok(bench.look(script)?.lines().count())
    };
    fs::write(bench.project.path("rig/sudo-password"), "not-the-one\n")?;
    let before = tries()?;
    let words = ["droplet: could not become root as appuser@203.0.113.10: sudo did not take the password\n", "cure: check the password"];
    let error = refused(&bench, "plan", 77, &words)?;
    ensure!(error.lines().count() == 2 && !error.contains("not-the-one"), "more than a line and its cure: {error}");
    ensure!(tries()? == before + 1, "the wrong password was tried {} times", tries()? - before);
    Ok(())
}

/// A host that nobody has met, and no terminal to ask: the cure holds the line to paste, and nothing is remembered.
pub fn key_unknown(context: &Context) -> Result<()> {
    let mut bench = broken(context)?;
    edit(&mut bench, |host| drop(host.remove("host_key")))?;
    let line = format!("host_key = \"{}\"", bench.host.host_key()?);
    refused(&bench, "plan", 77, &["the host's key is not known, and nobody confirmed it", "cure: compare the key", &line])?;
    let known = bench.rig.operator.home().join(".ssh/known_hosts");
    ensure!(!known.exists(), "an unconfirmed key was remembered");
    Ok(())
}

/// Another key than the one that is pinned in the inventory, or that known_hosts holds.
pub fn key_changed(context: &Context) -> Result<()> {
    let mut bench = broken(context)?;
    let words = ["the host's key is another than the known one", "cure: if you reinstalled the host"];
    let key = other_key(&bench)?;
    edit(&mut bench, |host| drop(host.insert("host_key".into(), key.clone().into())))?;
    refused(&bench, "plan", 77, &words)?;
    edit(&mut bench, |host| drop(host.remove("host_key")))?;
    let known = bench.rig.operator.home().join(".ssh/known_hosts");
    fs::write(&known, format!("{} {key}\n", bench.host.address))?;
    bench.rig.operator.own(&known, 0o600)?;
    let ended = refused(&bench, "plan", 77, &[&words[..], &["known_hosts:1"]].concat());
    fs::remove_file(&known)?;
    ended.map(drop)
}

/// Nobody listens: said at once.
pub fn port(context: &Context) -> Result<()> {
    let mut bench = broken(context)?;
    edit(&mut bench, |host| drop(host.insert("port".into(), 2222.into())))?;
    let words = ["could not connect to appuser@203.0.113.10:2222: the port is closed (connection refused)", "cure: check `port`"];
    let begun = Instant::now();
    refused(&bench, "plan", 69, &words)?;
    ensure!(begun.elapsed() < Duration::from_secs(5), "it took {:?} to see a closed port", begun.elapsed());
    Ok(())
}

/// A user that the host does not know.
pub fn user(context: &Context) -> Result<()> {
    let mut bench = broken(context)?;
    edit(&mut bench, |host| drop(host.insert("user".into(), "nobody-here".into())))?;
    let words = ["could not connect to nobody-here@", "sshd accepted none of the keys offered (", "cure: check `user` and `identity_file`"];
    refused(&bench, "plan", 77, &words).map(drop)
}

/// A name without an address.
pub fn name(context: &Context) -> Result<()> {
    let mut bench = broken(context)?;
    edit(&mut bench, |host| drop(host.insert("address".into(), "absent.example".into())))?;
    let words = ["could not connect to appuser@absent.example: the name does not resolve", "cure: check `address`"];
    refused(&bench, "plan", 69, &words).map(drop)
}

/// Changes the inventory's host.
fn edit(bench: &mut Bench<'_>, change: impl FnOnce(&mut toml::Table)) -> Result<()> {
    let host = bench.project.inventory.get_mut("hosts").and_then(|hosts| hosts.get_mut(0)).and_then(toml::Value::as_table_mut);
    change(host.context("the inventory has a host")?);
    bench.project.save(&bench.rig.operator)
}

/// A key that is no host's.
fn other_key(bench: &Bench<'_>) -> Result<String> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("key");
    run(std::process::Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&file))?;
    let key = fs::read_to_string(file.with_extension("pub"))?;
    let key = key.split(' ').take(2).collect::<Vec<_>>().join(" ");
    ensure!(key != bench.host.host_key()?, "ssh-keygen made the host's own key");
    Ok(key)
}
