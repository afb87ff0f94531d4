//! Whether a chain, its key and its roots are any use: as a visitor's TLS library judges them, by the same code, without a connection.

use std::sync::Arc;
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, Error, RootCertStore};

use crate::model::Secret;

/// PEM.
pub struct Material<'a> {
    /// The leaf first.
    pub chain: &'a Secret,
    /// The leaf's.
    pub key: &'a Secret,
    /// What visitors trust.
    pub ca: &'a Secret,
}

/// A part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The chain.
    Certificate,
    /// The leaf's key.
    Key,
    /// The roots.
    Ca,
}

/// What is wrong with a part, without a word of its content.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which.
    pub part: Part,
    /// In words.
    pub what: String,
}

/// Judges it for every name, at a time in seconds since the epoch.
///
/// # Errors
/// The first fault.
pub fn judge(material: &Material<'_>, names: &[String], now: i64) -> Result<(), Fault> {
    let chain = certificates(material.chain, Part::Certificate)?;
    let fault = |part: Part, what: &str| Fault { part, what: what.into() };
    let (leaf, intermediates) = chain.split_first().ok_or_else(|| fault(Part::Certificate, NONE))?;
    let key = PrivateKeyDer::from_pem_slice(material.key.expose()).map_err(|_| fault(Part::Key, "it holds no private key in PEM"))?;
    let key = aws_lc_rs::sign::any_supported_type(&key).map_err(|_| fault(Part::Key, "it holds no private key of a kind that is known"))?;
    match CertifiedKey::new(chain.clone(), key).keys_match() {
        Err(Error::InconsistentKeys(_)) => return Err(fault(Part::Key, "it is not the certificate's private key")),
        Err(error) => return Err(fault(Part::Certificate, &error.to_string())),
        Ok(()) => {}
    }
    let mut roots = RootCertStore::empty();
    for root in certificates(material.ca, Part::Ca)? {
        roots.add(root).map_err(|error| fault(Part::Ca, &error.to_string()))?;
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
    let verifier = verifier.map_err(|error| fault(Part::Ca, &error.to_string()))?;
    let at = UnixTime::since_unix_epoch(Duration::from_secs(now.max(0).cast_unsigned()));
    for name in names {
        let server = ServerName::try_from(name.as_str()).map_err(|_| fault(Part::Certificate, &format!("{name} is not a DNS name")))?;
        verifier
            .verify_server_cert(leaf, intermediates, &server, &[], at)
            .map_err(|error| fault(Part::Certificate, &told(&error, name)))?;
    }
    Ok(())
}

const NONE: &str = "it holds no certificate in PEM";

fn certificates(pem: &Secret, part: Part) -> Result<Vec<CertificateDer<'static>>, Fault> {
    let none = || Fault { part, what: NONE.into() };
    let found: Vec<_> = CertificateDer::pem_slice_iter(pem.expose()).collect::<Result<_, _>>().map_err(|_| none())?;
    if found.is_empty() { Err(none()) } else { Ok(found) }
}

fn told(error: &Error, name: &str) -> String {
    let Error::InvalidCertificate(error) = error else { return error.to_string() };
    match error {
        CertificateError::UnknownIssuer => "it does not lead to the CA: an intermediate certificate lacks, or another CA issued it".into(),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has ended".into(),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => "it has not begun".into(),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => format!("it is not for {name}"),
        other => other.to_string(),
    }
}
