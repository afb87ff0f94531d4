//! Debian packages that the rig and its builds need.

use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::run::finish;

/// What the rig runs; the package that a program comes from is not always called like it.
pub const RIG: &[&str] = &[
    "age",
    "bsdutils",
    "ca-certificates",
    "curl",
    "dnsmasq-base",
    "docker-registry",
    "git",
    "iproute2",
    "iptables",
    "mmdebstrap",
    "openssh-client",
    "openssl",
    "pebble",
    "podman",
    "skopeo",
    "systemd-container",
    "zstd",
];

/// What `cargo test` runs beside Rust: sshd on a port of its own, as nobody's service, a TLS server that still takes old versions, and shells
/// that read what is quoted for them.
pub const TESTS: &[&str] = &["bash", "busybox", "dash", "openssh-client", "openssh-server", "openssl"];

/// Installs what is missing of `wanted`, its list printed first.
///
/// # Errors
/// Not root, not Debian, or `apt-get` failed.
pub fn ensure(wanted: &[&str]) -> Result<()> {
    ensure!(rustix::process::geteuid().is_root(), "the rig boots hosts and installs packages: run this as root");
    let missing = missing(wanted)?;
    if missing.is_empty() {
        return Ok(());
    }
    println!("installing {}", missing.join(" "));
    // One source of many may be out of reach; whether that matters, the install shows.
    if let Err(error) = apt(&["update", "--quiet=2"]) {
        println!("{error:#}");
    }
    let mut install = vec!["install", "--yes", "--quiet=2", "--no-install-recommends"];
    install.extend(&missing);
    apt(&install)
}

fn missing<'a>(wanted: &[&'a str]) -> Result<Vec<&'a str>> {
    let mut query = Command::new("dpkg-query");
    query.args(["--show", "--showformat=${db:Status-Status} ${Package}\n"]).args(wanted);
    let known = finish(&mut query, std::time::Duration::from_secs(30)).context("the rig needs Debian's dpkg and apt-get")?;
    Ok(absent(wanted, &known.stdout))
}

fn absent<'a>(wanted: &[&'a str], listing: &str) -> Vec<&'a str> {
    let installed: Vec<&str> = listing.lines().filter_map(|line| line.strip_prefix("installed ")).collect();
    wanted.iter().copied().filter(|name| !installed.contains(name)).collect()
}

fn apt(arguments: &[&str]) -> Result<()> {
    let status = Command::new("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive").status()?;
    ensure!(status.success(), "apt-get {}: {status}", arguments.join(" "));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::absent;

    #[test]
    fn only_fully_installed_counts() {
        let listing = "installed curl\nconfig-files pebble\nnot-installed skopeo\n";
        assert_eq!(absent(&["curl", "pebble", "skopeo", "ipset"], listing), ["pebble", "skopeo", "ipset"]);
    }
}
