//! The rig's own network: a namespace with one bridge and no way out.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::run::run;

const NAMESPACE: &str = "/run/netns/rig";

/// The bridge's address: DNS, ACME, artifacts and the registry answer here. From the range for documentation (RFC 5737),
/// like the addresses in the example inventory.
pub const BRIDGE: &str = "203.0.113.1";

/// Public resolvers, whose addresses the rig's DNS answers as well.
pub const RESOLVERS: [&str; 3] = ["1.1.1.1", "8.8.8.8", "9.9.9.9"];

/// Makes namespace, bridge and addresses, if they are not there.
pub fn up() -> Result<()> {
    if Path::new(NAMESPACE).exists() {
        return Ok(());
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

/// Removes what `up` made.
pub fn down() -> Result<()> {
    if Path::new(NAMESPACE).exists() {
        run(Command::new("ip").args(["netns", "delete", "rig"]))?;
    }
    Ok(())
}

/// `program`, to be run inside. Not by `ip netns exec`, which mounts a fresh /sys and so hides the cgroups.
pub fn inside(program: &str) -> Command {
    let mut command = Command::new("nsenter");
    command.arg(format!("--net={NAMESPACE}")).arg(program);
    command
}

/// Whether the bridge shows a device of that name.
pub fn has_link(name: &str) -> Result<bool> {
    Ok(run(inside("ip").args(["-oneline", "link", "show", "type", "veth"]))?.contains(&format!(" {name}@")))
}

/// Whether something listens on that port of the bridge.
pub fn listening(port: u16) -> Result<bool> {
    let address: SocketAddr = format!("{BRIDGE}:{port}").parse()?;
    within(move || TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok())
}

/// Runs `work` on a thread that has entered the namespace.
pub fn within<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let entered = std::thread::spawn(move || -> Result<T> {
        let namespace = std::fs::File::open(NAMESPACE).with_context(|| format!("entering {NAMESPACE}"))?;
        move_into_link_name_space(rustix::fd::AsFd::as_fd(&namespace), Some(LinkNameSpaceType::Network))?;
        Ok(work())
    });
    entered.join().map_err(|_| anyhow!("a thread in the rig's network panicked"))?
}

fn ip(words: &str) -> Result<()> {
    run(inside("ip").args(words.split(' '))).map(drop)
}
