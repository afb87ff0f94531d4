//! The certificate that is served for a name.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, PoisonError};

use rustls::ProtocolVersion;
use rustls::pki_types::ServerName;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;
use x509_parser::extensions::GeneralName;
use x509_parser::parse_x509_certificate;
use x509_parser::public_key::PublicKey;

use crate::model::{Answer, Phase, Reply, Served};

use super::chain::{Roots, Seen};
use super::refusal::told;

/// Shakes hands with `address` for `name`. A chain that is refused is an answer too; no certificate at all is none.
pub async fn served(roots: &Arc<Roots>, name: &str, address: SocketAddr) -> Answer {
    match look(roots, name, address).await {
        Ok(served) => Answer::Present(Reply::Served(served)),
        Err(reason) => Answer::Unreadable(reason),
    }
}

/// The same over a line that leads there. Absent: no certificate comes back.
pub async fn through(roots: &Arc<Roots>, name: &str, socket: &Path) -> Answer {
    let shaken = async {
        let line = UnixStream::connect(socket).await.map_err(|error| told(&error))?;
        shake(roots, name, line).await
    };
    match shaken.await {
        Ok(Shaken { seen: None, .. }) => Answer::Absent,
        Ok(shaken) => match judge(shaken) {
            Ok(served) => Answer::Present(Reply::Served(served)),
            Err(reason) => Answer::Unreadable(reason),
        },
        Err(reason) => Answer::Unreadable(reason),
    }
}

async fn look(roots: &Arc<Roots>, name: &str, address: SocketAddr) -> Result<Served, String> {
    let line = TcpStream::connect(address).await.map_err(|error| told(&error))?;
    judge(shake(roots, name, line).await?)
}

/// What a handshake showed, and how it went: the version that was agreed on, or why it broke off.
struct Shaken {
    seen: Option<Seen>,
    went: Result<&'static str, String>,
}

async fn shake(roots: &Arc<Roots>, name: &str, line: impl AsyncRead + AsyncWrite + Unpin) -> Result<Shaken, String> {
    let server = ServerName::try_from(name.to_owned()).map_err(|_| format!("{name} is not a DNS name"))?;
    let (config, memory) = roots.client().map_err(|error| told(&error))?;
    let went = match TlsConnector::from(Arc::new(config)).connect(server, line).await {
        Ok(line) if line.get_ref().1.protocol_version() == Some(ProtocolVersion::TLSv1_2) => Ok("TLS 1.2"),
        // No third is spoken here.
        Ok(_) => Ok("TLS 1.3"),
        Err(error) => Err(told(&error)),
    };
    let seen = memory.lock().unwrap_or_else(PoisonError::into_inner).take();
    Ok(Shaken { seen, went })
}

fn judge(shaken: Shaken) -> Result<Served, String> {
    match shaken {
        // A chain that verifies is not enough: whoever shows it must hold its key too.
        Shaken { seen: Some(Seen { leaf, phase: Phase::Production | Phase::Staging }), went: Err(error) } => {
            read(Seen { leaf, phase: Phase::Untrusted(format!("the TLS handshake breaks off: {error}")) }, "")
        }
        Shaken { seen: Some(seen), went } => read(seen, went.unwrap_or_default()),
        Shaken { seen: None, went: Err(error) } => Err(format!("TLS handshake: {error}")),
        Shaken { seen: None, went: Ok(_) } => Err("TLS handshake: no certificate was shown".into()),
    }
}

fn read(seen: Seen, version: &str) -> Result<Served, String> {
    let (_, leaf) = parse_x509_certificate(&seen.leaf).map_err(|error| format!("the certificate served can't be parsed: {error}"))?;
    let names = leaf.subject_alternative_name().ok().flatten().map(|extension| &extension.value.general_names);
    Ok(Served {
        phase: seen.phase,
        subject: leaf.subject().to_string(),
        issuer: leaf.issuer().to_string(),
        version: version.to_owned(),
        key: leaf.public_key().parsed().ok().as_ref().map(key).unwrap_or_default(),
        names: names.into_iter().flatten().filter_map(dns_name).collect(),
        not_before: leaf.validity().not_before.timestamp(),
        not_after: leaf.validity().not_after.timestamp(),
        sha256: format!("{:x}", Sha256::digest(&seen.leaf)),
    })
}

fn key(key: &PublicKey<'_>) -> String {
    match key {
        PublicKey::RSA(rsa) => format!("RSA {}", rsa.key_size()),
        PublicKey::EC(point) => format!("ECDSA {}", point.key_size()),
        _ => String::new(),
    }
}

fn dns_name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        _ => None,
    }
}

#[cfg(test)]
#[path = "served_tests.rs"]
mod tests;
