//! From an inventory's host to an SSH session.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use openssh::{ControlPersist, KnownHosts, SessionBuilder};

use super::error::Error;
use super::host_key;
use super::line::Line;
use super::prompt::Prompt;
use super::refusal::ConnectRefusal;
use crate::inventory::Host;

/// For TCP, key exchange and version exchange together (ssh_config: ConnectTimeout).
const CONNECT: Duration = Duration::from_secs(15);
/// For the whole login: a sshd that looks up names or asks PAM may be slow.
const LOGIN: Duration = Duration::from_secs(60);
/// Between two questions of ssh whether the host is still there. It gives up when the fourth is due and none was answered (openssh-portable:
/// clientloop.c, server_alive_check): a dead line is known within 20 s.
const ALIVE: Duration = Duration::from_secs(4);
/// How long the master outlives a tool that was killed, seconds.
const IDLE: NonZeroUsize = NonZeroUsize::new(10).unwrap();

/// Whom we log in to, as far as the inventory says: `appuser@203.0.113.10:22`.
pub(super) fn login(host: &Host) -> String {
    let user = host.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
    let port = host.port.map(|port| format!(":{port}")).unwrap_or_default();
    format!("{user}{}{port}", host.address)
}

/// Opens a session. A host whose key nobody knows is shown to the operator, if one is there; `folder` is for sockets.
pub(super) async fn connect(host: &Host, prompt: &Prompt, folder: &Path) -> Result<Line, Error> {
    match attempt(host, folder).await {
        Err(Error::Connect(ConnectRefusal::KeyUnknown(_), said)) => {
            if prompt.attended() && host.host_key.is_none() {
                host_key::introduce(host, prompt).await?;
                attempt(host, folder).await
            } else {
                let line = host_key::inventory_line(host).await;
                Err(Error::Connect(ConnectRefusal::KeyUnknown(line), said))
            }
        }
        other => other,
    }
}

async fn attempt(host: &Host, folder: &Path) -> Result<Line, Error> {
    let mut builder = SessionBuilder::default();
    builder
        .known_hosts_check(KnownHosts::Strict)
        .connect_timeout(CONNECT)
        .server_alive_interval(ALIVE)
        .control_persist(ControlPersist::IdleFor(IDLE))
        .control_directory(folder);
    if let Some(user) = &host.user {
        builder.user(user.clone());
    }
    if let Some(port) = host.port {
        builder.port(port);
    }
    if let Some(file) = &host.identity_file {
        builder.keyfile(file);
    }
    if let Some(key) = &host.host_key {
        builder.user_known_hosts_file(host_key::pin(key, folder)?);
    }
    let session = match tokio::time::timeout(LOGIN, builder.connect_mux(&host.address)).await {
        Err(_) => return Err(Error::Connect(ConnectRefusal::NoAnswer, format!("login took longer than {} s", LOGIN.as_secs()))),
        Ok(Err(openssh::Error::Connect(error))) => return Err(refused(host, &error)),
        Ok(Err(error)) => return Err(Error::lost(&error)),
        Ok(Ok(session)) => session,
    };
    Ok(Line::Ssh(Arc::new(session)))
}

/// The crate's error carries all that ssh logged; it needs no second attempt to find out why.
fn refused(host: &Host, error: &std::io::Error) -> Error {
    // ssh itself could not be started: an error of the system's, not a text of ssh's.
    if error.raw_os_error().is_some() && error.kind() == std::io::ErrorKind::NotFound {
        return Error::Connect(ConnectRefusal::NoSsh, error.to_string());
    }
    let said = error.to_string();
    let refusal = match ConnectRefusal::of(&said) {
        // The pinned key is all that this host may show, also when it has none of that kind.
        ConnectRefusal::KeyUnknown(_) if host.host_key.is_some() => ConnectRefusal::KeyChanged,
        other => other,
    };
    Error::Connect(refusal, said)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::{Connection, Role};

    #[test]
    fn a_host_without_a_key_of_the_pinned_kind_is_another_one() {
        // As OpenSSH 9.2 logs it with StrictHostKeyChecking=yes.
        let said = "No RSA host key is known for [127.0.0.1]:2222 and you have requested strict checking.\r\nHost key verification failed.";
        let host = |key: Option<&str>| Host {
            name: "a".into(),
            address: "127.0.0.1".into(),
            user: None,
            port: None,
            identity_file: None,
            host_key: key.map(Into::into),
            public_ip: None,
            node_ip: None,
            role: Role::Server,
            connection: Connection::Ssh,
            labels: Default::default(),
            taints: Vec::new(),
        };
        let refusal = |key| refused(&host(key), &std::io::Error::other(said));
        assert_eq!(refusal(Some("ssh-ed25519 AAAA")), Error::Connect(ConnectRefusal::KeyChanged, said.into()));
        assert_eq!(refusal(None), Error::Connect(ConnectRefusal::KeyUnknown(None), said.into()));
    }
}
