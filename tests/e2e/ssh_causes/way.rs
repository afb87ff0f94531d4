//! No way to the host, or a host that is not who it should be.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use super::{Config, Sshd, edit, known};
use crate::bench::Bench;
use crate::e2e::Context;
use crate::e2e::bad_input::{broken, refusal, refused};
use crate::run::{finish, run};

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

/// A name without an address.
pub fn name(context: &Context) -> Result<()> {
    let mut bench = broken(context)?;
    edit(&mut bench, |host| drop(host.insert("address".into(), "absent.example".into())))?;
    let words = ["could not connect to appuser@absent.example: the name does not resolve", "cure: check `address`"];
    refused(&bench, "plan", 69, &words).map(drop)
}

/// Nobody answers: the packets are lost on their way.
pub fn timeout(context: &Context) -> Result<()> {
    let mut bench = broken(context)?;
    bench.look("iptables -I INPUT -p tcp --dport 2201 -j DROP")?;
    edit(&mut bench, |host| drop(host.insert("port".into(), 2201.into())))?;
    let words = [
        "could not connect to appuser@203.0.113.10:2201: no answer (",
        "timed out)",
        "cure: check `address` and `port`, that the host is up",
    ];
    let begun = Instant::now();
    let ended = refused(&bench, "plan", 69, &words);
    bench.look("iptables -D INPUT -p tcp --dport 2201 -j DROP")?;
    ensure!(begun.elapsed() < Duration::from_secs(25), "it took {:?} to give up", begun.elapsed());
    ended.map(drop)
}

/// More logins under way than sshd takes.
pub fn throttled(context: &Context) -> Result<()> {
    let bench = broken(context)?;
    let _set = Sshd::set(&bench, "MaxStartups 1:100:1")?;
    // Right after a reload sshd does not listen for a moment.
    let door = format!("for n in {{1..50}}; do {{ exec 3<>/dev/tcp/{}/22; }} 2>/dev/null && break; sleep 0.1; done", bench.host.address);
    let mut knock = bench.rig.operator.command("bash");
    let mut knocking = knock.args(["-c", &format!("{door}; read -r <&3; echo in; exec sleep 60")]).stdout(Stdio::piped()).spawn()?;
    let mut said = [0; 3];
    let waits = std::io::Read::read_exact(knocking.stdout.as_mut().context("it has a stdout")?, &mut said);
    let words = ["sshd hung up: too many logins are under way there (MaxStartups)", "cure: wait a minute and run again"];
    let ended = waits.map_err(Into::into).and_then(|()| refused(&bench, "plan", 69, &words));
    knocking.kill()?;
    knocking.wait()?;
    ended.map(drop)
}

/// A jump host that opens no connections, and one that nobody can log in to.
pub fn jump(context: &Context) -> Result<()> {
    let mut bench = broken(context)?;
    edit(&mut bench, |host| drop(host.insert("address".into(), "inner".into())))?;
    let _set = Sshd::set(&bench, "Match User ops\n  AllowTcpForwarding no")?;
    let _known = known(&bench)?;
    let inner = |jump: &str| format!("Host inner\n  HostName {}\n  ProxyJump {jump}@{0}\n", bench.host.address);
    let config = Config::write(&bench, &inner("ops"))?;
    let words =
        ["could not connect to appuser@inner: the jump host opens no connection to it", "cure: check `address` and `port` as the jump"];
    refused(&bench, "plan", 69, &words)?;
    drop(config);
    let _config = Config::write(&bench, &inner("nobody-here"))?;
    let words = [
        "could not connect to appuser@inner: its jump host nobody-here@203.0.113.10: sshd accepted none of the keys offered",
        "cure: for the jump host, which `ssh nobody-here@203.0.113.10` reaches: check `user`",
    ];
    refused(&bench, "plan", 77, &words).map(drop)
}

/// No forwarding: said by preflight and by the tunnel, whose whole purpose it is.
pub fn forwarding(context: &Context) -> Result<()> {
    let bench = broken(context)?;
    let _set = Sshd::set(&bench, "AllowTcpForwarding no")?;
    let words = ["sshd forwards no ports (AllowTcpForwarding)", "cure: set `AllowTcpForwarding local` (or yes)"];
    refusal(&mut bench.bedplate(&["tunnel", "inventory.toml", "--", "true"]), 1, &words)?;
    let plan = finish(&mut bench.bedplate(&["plan", "inventory.toml"]), Duration::from_secs(120))?;
    ensure!(plan.stdout.contains("sshd forbids forwarding, through which the API is reached"), "{}", plan.stdout);
    Ok(())
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
