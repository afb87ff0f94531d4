//! From an inventory's host to an SSH session.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use super::config::Resolved;
use super::error::Error;
use super::host_key;
use super::jump::{Jump, gate};
use super::line::Line;
use super::master::{self, Login};
use super::prompt::Prompt;
use super::refusal::LoginRefusal;
use crate::inventory::Host;

/// Whom we log in to, as far as the inventory says: `appuser@203.0.113.10:22`.
pub(super) fn login(host: &Host) -> String {
    let user = host.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
    let port = host.port.map(|port| format!(":{port}")).unwrap_or_default();
    format!("{user}{}{port}", host.address)
}

/// Opens a session. A host whose key nobody knows is shown to the operator, if one is there; `folder` is for sockets.
pub(super) async fn connect(host: &Host, prompt: &Prompt, folder: &Path) -> Result<Line, Error> {
    match attempt(host, folder).await {
        Err(Error::Connect(LoginRefusal::KeyUnknown(_), said)) => {
            if prompt.attended() && host.host_key.is_none() && host_key::introduce(host, prompt).await? {
                attempt(host, folder).await
            } else {
                let line = host_key::inventory_line(host).await;
                Err(Error::Connect(LoginRefusal::KeyUnknown(line), said))
            }
        }
        other => other,
    }
}

/// A login without questions to anybody.
pub(super) async fn attempt(host: &Host, folder: &Path) -> Result<Line, Error> {
    let way = Resolved::of(host).await;
    let mut arguments: Vec<OsString> = Vec::new();
    if let Some(user) = &host.user {
        arguments.extend(["-l".into(), user.into()]);
    }
    if let Some(port) = host.port {
        arguments.extend(["-p".into(), port.to_string().into()]);
    }
    if let Some(file) = &host.identity_file {
        arguments.extend(["-o".into(), "IdentitiesOnly=yes".into(), "-i".into(), file.into()]);
    }
    if let Some(key) = &host.host_key {
        let mut pinned = OsString::from("UserKnownHostsFile=");
        pinned.push(host_key::pin(key, folder)?);
        arguments.extend(["-o".into(), pinned, "-o".into(), "GlobalKnownHostsFile=none".into(), "-o".into(), "VerifyHostKeyDNS=no".into()]);
        // An older ssh does not know the word.
        if way.as_ref().is_some_and(|way| way.keys.is_some()) {
            arguments.extend(["-o".into(), "KnownHostsCommand=none".into()]);
        }
    }
    let mut jump = None;
    if let Some(hosts) = way.as_ref().and_then(|way| way.jump.as_deref()) {
        let through = Jump::to(hosts);
        arguments.extend(through.arguments(hosts).await?);
        jump = Some(through);
    }
    let _turn = match &way {
        Some(way) => gate(way).await,
        None => None,
    };
    let master = master::login(Login { destination: &host.address, arguments, folder, jump }).await;
    Ok(Line::Ssh(Arc::new(master.map_err(|error| pinned(host, error))?.session)))
}

/// The pinned key is all that a host may show, also when it has none of that kind.
fn pinned(host: &Host, error: Error) -> Error {
    match error {
        Error::Connect(LoginRefusal::KeyUnknown(_), said) if host.host_key.is_some() => Error::Connect(LoginRefusal::KeyChanged, said),
        other => other,
    }
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
        let refusal = |key| pinned(&host(key), Error::Connect(LoginRefusal::of(said), said.into()));
        assert_eq!(refusal(Some("ssh-ed25519 AAAA")), Error::Connect(LoginRefusal::KeyChanged, said.into()));
        assert_eq!(refusal(None), Error::Connect(LoginRefusal::KeyUnknown(None), said.into()));
    }
}
