//! The rig's own network: a namespace with one bridge and no way out.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use rustix::process::Signal;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::daemon::send;
use crate::run::{run, until};

const NAMESPACE: &str = "/run/netns/rig";

/// The bridge's address: DNS, ACME, artifacts and the registry answer here. From the range for documentation (RFC 5737),
/// like the addresses in the example inventory.
pub const BRIDGE: &str = "203.0.113.1";

/// Public resolvers, whose addresses the rig's DNS answers as well.
pub const RESOLVERS: [&str; 3] = ["1.1.1.1", "8.8.8.8", "9.9.9.9"];

/// Makes namespace, bridge and addresses, if they are not there.
pub fn up() -> Result<()> {
    if Path::new(NAMESPACE).exists() {
        // The last thing made stands for all; a half-made network has nobody in it yet.
        if run(inside("ip").args(["-oneline", "address", "show", "dev", "lo"]))?.contains(RESOLVERS[2]) {
            return Ok(());
        }
        down()?;
    }
    run(Command::new("ip").args(["netns", "add", "rig"]))?;
    ip("link set lo up")?;
    ip("link add br0 type bridge")?;
    ip(&format!("address add {BRIDGE}/24 dev br0"))?;
    ip("link set br0 up")?;
    for resolver in RESOLVERS {
        ip(&format!("address add {resolver}/32 dev lo"))?;
    }
    Ok(())
}

/// Ends whoever is inside, known by the namespace and not by name, then removes it.
pub fn down() -> Result<()> {
    if !Path::new(NAMESPACE).exists() {
        return Ok(());
    }
    until("the processes in the rig's network to end", Duration::from_secs(20), || {
        let left = inhabitants()?;
        left.iter().try_for_each(|pid| send(*pid, Signal::KILL))?;
        Ok(left.is_empty().then_some(()))
    })?;
    run(Command::new("ip").args(["netns", "delete", "rig"])).map(drop)
}

/// The processes inside; a zombie has left already.
fn inhabitants() -> Result<Vec<i32>> {
    let ours = fs::metadata(NAMESPACE)?;
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let entry = entry?;
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let theirs = fs::metadata(entry.path().join("ns/net"));
        if theirs.is_ok_and(|theirs| (theirs.dev(), theirs.ino()) == (ours.dev(), ours.ino())) {
            found.push(pid);
        }
    }
    Ok(found)
}

/// `program`, to be run inside. Not by `ip netns exec`, which mounts a fresh /sys and so hides the cgroups.
pub fn inside(program: &str) -> Command {
    let mut command = Command::new("nsenter");
    command.arg(format!("--net={NAMESPACE}")).arg(program);
    command
}

/// Takes a dead host's device off the bridge, if it is still there: connections that were open when the host died hold its
/// network, and so the device, for minutes.
pub fn unplug(device: &str) -> Result<()> {
    if !Path::new(NAMESPACE).exists() {
        return Ok(());
    }
    if !plugged(device)? {
        return Ok(());
    }
    match ip(&format!("link delete {device}")) {
        // It went by itself in between.
        Err(_) if !plugged(device)? => Ok(()),
        deleted => deleted,
    }
}

fn plugged(device: &str) -> Result<bool> {
    Ok(run(inside("ip").args(["-oneline", "link", "show", "type", "veth"]))?.contains(&format!(" {device}@")))
}

/// Whether something listens on that port of the bridge.
pub fn listening(port: u16) -> Result<bool> {
    let address: SocketAddr = format!("{BRIDGE}:{port}").parse()?;
    within(move || TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok())
}

/// Runs `work` on a thread that has entered the namespace.
pub fn within<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let entered = std::thread::spawn(move || -> Result<T> {
        let namespace = fs::File::open(NAMESPACE).with_context(|| format!("entering {NAMESPACE}"))?;
        move_into_link_name_space(rustix::fd::AsFd::as_fd(&namespace), Some(LinkNameSpaceType::Network))?;
        Ok(work())
    });
    entered.join().map_err(|_| anyhow!("a thread in the rig's network panicked"))?
}

fn ip(words: &str) -> Result<()> {
    run(inside("ip").args(words.split(' '))).map(drop)
}
