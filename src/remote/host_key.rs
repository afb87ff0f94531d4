//! Host keys: pinned in the inventory, or met once with the operator looking.

use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use super::config::{Resolved, destination};
use super::error::Error;
use super::prompt::{Prompt, in_time};
use super::refusal::LoginRefusal;
use crate::inventory::Host;

/// For ssh-keyscan.
const SCAN: Duration = Duration::from_secs(10);

/// Writes a known_hosts file for one connection, in which every name has the pinned key: under which name ssh looks a key up depends
/// on HostName, Port and HostKeyAlias of the user's ssh_config.
pub(super) fn pin(key: &str, folder: &Path) -> Result<PathBuf, Error> {
    let path = folder.join("known_hosts");
    let mut words = key.split_whitespace();
    let (Some(kind), Some(body)) = (words.next(), words.next()) else {
        return Err(Error::Here(format!("`host_key` is not of the form `ssh-ed25519 AAAA…`: {key}")));
    };
    std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&path)
        .and_then(|mut file| writeln!(file, "* {kind} {body}"))
        .map_err(|error| Error::here(&format!("write {}", path.display()), &error))?;
    Ok(path)
}

/// Lets ssh itself show the fingerprint, ask, and remember the key where the user's ssh_config wants it: no login happens. Whether somebody was
/// there to be asked.
pub(super) async fn introduce(host: &Host, prompt: &Prompt) -> Result<bool, Error> {
    let mut ssh = Command::new("ssh");
    ssh.args(["-o", "StrictHostKeyChecking=ask", "-o", "PreferredAuthentications=none", "-o", "ControlPath=none", "-T"]);
    // The operator may take their time; the host may not.
    ssh.args(["-o", "ConnectTimeout=15"]);
    destination(&mut ssh, host);
    // Its complaint that there is no way to log in is left out; the question goes to the terminal.
    ssh.arg("true").stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    match prompt.asks(in_time(ssh.status())).await {
        None => Ok(false),
        Some(Ok(_)) => Ok(true),
        Some(Err(error)) if error.kind() == ErrorKind::TimedOut => Err(Error::here("ask about the host's key", &error)),
        Some(Err(error)) => Err(Error::Connect(LoginRefusal::NoSsh, error.to_string())),
    }
}

/// The line that pins the key which the host shows now, for the operator to compare and paste. None if it can't be had, e.g. behind
/// a jump host.
pub(super) async fn inventory_line(host: &Host) -> Option<String> {
    let way = Resolved::of(host).await?;
    if way.jump.or(way.command).is_some() {
        return None;
    }
    let mut scan = Command::new("ssh-keyscan");
    scan.args(["-T", &SCAN.as_secs().to_string(), "-p", &way.port, "--", &way.hostname]).stdin(Stdio::null());
    let seen = tokio::time::timeout(SCAN * 2, scan.kill_on_drop(true).output()).await.ok()?.ok()?;
    choose(&String::from_utf8_lossy(&seen.stdout)).map(|key| format!("host_key = \"{key}\""))
}

/// The best of the keys that ssh-keyscan printed (`[name]:port kind body`).
fn choose(scanned: &str) -> Option<String> {
    let keys: Vec<(&str, &str)> = scanned
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let mut words = line.split_whitespace().skip(1);
            Some((words.next()?, words.next()?))
        })
        .filter(|(kind, body)| [kind, body].iter().all(|word| word.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"')))
        .collect();
    let rank = |kind: &str| ["ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"].iter().position(|&known| known == kind).unwrap_or(9);
    keys.into_iter().min_by_key(|(kind, _)| rank(kind)).map(|(kind, body)| format!("{kind} {body}"))
}

#[cfg(test)]
mod tests {
    use super::choose;

    #[test]
    fn the_ed25519_key_is_offered_for_pinning() {
        let scanned = "# [127.0.0.1]:2222 SSH-2.0-OpenSSH_9.2p1\n[127.0.0.1]:2222 ssh-rsa AAAAB3\n[127.0.0.1]:2222 ssh-ed25519 AAAAC3\n";
        assert_eq!(choose(scanned).as_deref(), Some("ssh-ed25519 AAAAC3"));
        assert_eq!(choose("# nobody\n"), None);
    }
}
