//! A fresh host's disk: what differs from the root file system that all share.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::host::Host;
use super::network::BRIDGE;
use super::operator::Operator;
use crate::run::run;

/// Who accepts the operator's key: home folder and uid, as `root.sh` made them.
const USERS: [(&str, u32); 3] = [("root", 0), ("home/appuser", 1000), ("home/ops", 1001)];

/// Makes the disk of `host` over `root`. The folder of that name appears when all is done.
pub fn make(host: &Host, root: &Path, operator: &Operator) -> Result<()> {
    let folder = host.folder().with_extension("half");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    let upper = folder.join("upper");
    for name in ["upper/etc/ssh", "upper/etc/network", "work", "root", "cgroup"] {
        fs::create_dir_all(folder.join(name))?;
    }
    run(Command::new("cp").args(["--archive", "--reflink=auto"]).arg(root.join("var")).arg(&folder))?;
    let write = |name: &str, text: String| fs::write(upper.join("etc").join(name), text);
    write("hostname", format!("{}\n", host.name))?;
    write("hosts", format!("127.0.0.1 localhost\n{} {}\n", host.address, host.name))?;
    write("resolv.conf", format!("nameserver {BRIDGE}\n"))?;
    write("network/interfaces", interfaces(&host.address))?;
    run(Command::new("ssh-keygen").arg("-A").arg("-f").arg(&upper))?;
    for (home, uid) in USERS {
        authorize(&upper, root, home, uid, operator)?;
    }
    let digest = set_password(&folder.join("sudo-password"))?;
    write("shadow", shadow(&fs::read_to_string(root.join("etc/shadow"))?, &digest))?;
    fs::set_permissions(upper.join("etc/shadow"), Permissions::from_mode(0o600))?;
    Ok(fs::rename(folder, host.folder())?)
}

fn interfaces(address: &str) -> String {
    format!("auto lo\niface lo inet loopback\n\nauto host0\niface host0 inet static\n    address {address}/24\n    gateway {BRIDGE}\n")
}

/// A folder that exists in both layers shows the upper one's owner and mode, so these are copied.
fn authorize(upper: &Path, root: &Path, home: &str, uid: u32, operator: &Operator) -> Result<()> {
    let ssh = upper.join(home).join(".ssh");
    fs::create_dir_all(&ssh)?;
    fs::set_permissions(upper.join(home), fs::metadata(root.join(home))?.permissions())?;
    fs::set_permissions(&ssh, Permissions::from_mode(0o700))?;
    let keys = ssh.join("authorized_keys");
    fs::copy(operator.public_key(), &keys).context("copying the operator's key")?;
    fs::set_permissions(&keys, Permissions::from_mode(0o600))?;
    for path in [upper.join(home), ssh, keys] {
        chown(path, Some(uid), Some(uid))?;
    }
    Ok(())
}

/// Writes a password to `file` and returns its digest for the shadow file. New for each disk, so that a test which looks for
/// it can't find another's; never in a command line, where such a test looks too.
fn set_password(file: &Path) -> Result<String> {
    fs::write(file, "")?;
    fs::set_permissions(file, Permissions::from_mode(0o600))?;
    run(Command::new("openssl").args(["rand", "-hex", "-out"]).arg(file).arg("12"))?;
    Ok(run(Command::new("openssl").args(["passwd", "-6", "-in"]).arg(file))?.trim().to_owned())
}

fn shadow(shared: &str, digest: &str) -> String {
    let line = |line: &str| match line.strip_prefix("appuser:").and_then(|rest| rest.split_once(':')) {
        Some((_, rest)) => format!("appuser:{digest}:{rest}\n"),
        None => format!("{line}\n"),
    };
    shared.lines().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::shadow;

    #[test]
    fn only_appuser_gets_a_password() {
        let shared = "root:*:20000:0:99999:7:::\nappuser:!:20000:0:99999:7:::\nops:!:20000:0:99999:7:::\n";
        let expected = "root:*:20000:0:99999:7:::\nappuser:$6$x:20000:0:99999:7:::\nops:!:20000:0:99999:7:::\n";
        assert_eq!(shadow(shared, "$6$x"), expected);
    }
}
