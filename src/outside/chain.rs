//! To whose root a served chain verifies. Nothing is accepted that does not verify; what was seen is remembered.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use x509_parser::parse_x509_certificate;

use crate::model::{Failure, NOT_BEGUN, Phase};

use super::trust::{self, Trust};

/// Verifiers for both sets of roots; none for an empty set.
#[derive(Debug)]
pub struct Roots {
    provider: Arc<CryptoProvider>,
    sets: Sets,
    production: Option<Arc<WebPkiServerVerifier>>,
    staging: Option<Arc<WebPkiServerVerifier>>,
}

/// Which sets there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sets {
    /// Production and staging.
    World,
    /// A site's own, in the place of production's.
    Own,
}

/// A leaf and the judgement on its chain.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The leaf's DER.
    pub leaf: CertificateDer<'static>,
    /// To whose root it verifies.
    pub phase: Phase,
}

/// What the handshake showed; empty until a certificate came.
pub type Memory = Arc<Mutex<Option<Seen>>>;

impl Roots {
    /// Reads them.
    ///
    /// # Errors
    /// A file that can't be read or holds no root.
    pub fn load(trust: &Trust) -> Result<Self, Failure> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier = |roots: Arc<RootCertStore>| WebPkiServerVerifier::builder_with_provider(roots, provider.clone()).build().ok();
        let production = verifier(trust::production(&trust.production)?);
        let staging = verifier(trust::staging(&trust.staging)?);
        Ok(Self { production, staging, provider, sets: Sets::World })
    }

    /// Nothing but the roots of a PEM text.
    ///
    /// # Errors
    /// It holds none.
    pub fn only(pem: &str) -> Result<Self, String> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let roots = trust::only(pem.as_bytes())?;
        let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider.clone()).build().map_err(|error| error.to_string())?;
        Ok(Self { production: Some(verifier), staging: None, provider, sets: Sets::Own })
    }

    /// A TLS client that takes what verifies to either set, and the memory of what it saw.
    ///
    /// # Errors
    /// The crypto library's refusal.
    pub fn client(self: &Arc<Self>) -> Result<(ClientConfig, Memory), Error> {
        let memory = Memory::default();
        let judge = Judge { roots: self.clone(), memory: memory.clone() };
        let config = ClientConfig::builder_with_provider(self.provider.clone())
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(judge))
            .with_no_client_auth();
        Ok((config, memory))
    }

    fn algorithms(&self) -> &WebPkiSupportedAlgorithms {
        &self.provider.signature_verification_algorithms
    }
}

#[derive(Debug)]
struct Judge {
    roots: Arc<Roots>,
    memory: Memory,
}

impl ServerCertVerifier for Judge {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verify = |verifier: &Option<Arc<WebPkiServerVerifier>>| {
            verifier.as_ref().map(|verifier| verifier.verify_server_cert(leaf, intermediates, name, &[], now).map(drop))
        };
        let (production, staging) = (verify(&self.roots.production), verify(&self.roots.staging));
        let (phase, verdict) = match (production, staging) {
            (Some(Ok(())), _) => (Phase::Production, Ok(ServerCertVerified::assertion())),
            (_, Some(Ok(()))) => (Phase::Staging, Ok(ServerCertVerified::assertion())),
            (production, staging) => {
                let errors = (production.and_then(Result::err), staging.and_then(Result::err));
                let phase = Phase::Untrusted(reason(self.roots.sets, leaf, intermediates, &errors.0, &errors.1));
                let unknown = Error::InvalidCertificate(CertificateError::UnknownIssuer);
                (phase, Err(errors.0.or(errors.1).unwrap_or(unknown)))
            }
        };
        *self.memory.lock().unwrap_or_else(PoisonError::into_inner) = Some(Seen { leaf: leaf.clone().into_owned(), phase });
        verdict
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, leaf, signed, self.roots.algorithms())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, leaf, signed, self.roots.algorithms())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.roots.algorithms().supported_schemes()
    }
}

/// What Traefik serves while no Secret matches the name (contract §3.3).
const TRAEFIK: &[u8] = b"TRAEFIK DEFAULT CERT";

/// Why neither set of roots will have it. An absent error is an empty set.
fn reason(
    sets: Sets,
    leaf: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    production: &Option<Error>,
    staging: &Option<Error>,
) -> String {
    if leaf.windows(TRAEFIK.len()).any(|window| window == TRAEFIK) {
        return "it is traefik's default certificate (TRAEFIK DEFAULT CERT): no TLS secret matches this name yet".into();
    }
    let unknown = |error: &Option<Error>| !matches!(error, Some(error) if *error != UNKNOWN);
    let alone = intermediates.is_empty() && unknown(production) && unknown(staging) && is_issued(leaf);
    let lacks = if alone { "; it came alone, so its intermediate certificates may lack" } else { "" };
    if sets == Sets::Own {
        return format!("the site's own roots: {}{lacks}", production.as_ref().map(told).unwrap_or_default());
    }
    let production = match production {
        Some(error) => told(error),
        None => "there are none: install ca-certificates, or set `acme.production.roots`".into(),
    };
    let staging = match staging {
        Some(error) => told(error),
        None => "there are none: set `acme.staging.roots`".into(),
    };
    if production == staging {
        return format!("production and staging roots: {production}{lacks}");
    }
    format!("production roots: {production}; staging roots: {staging}{lacks}")
}

const UNKNOWN: Error = Error::InvalidCertificate(CertificateError::UnknownIssuer);

/// By another than itself.
fn is_issued(leaf: &CertificateDer<'_>) -> bool {
    parse_x509_certificate(leaf).is_ok_and(|(_, leaf)| leaf.issuer() != leaf.subject())
}

fn told(error: &Error) -> String {
    let Error::InvalidCertificate(error) = error else { return error.to_string() };
    match error {
        CertificateError::UnknownIssuer => "its issuer is not among them".into(),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired".into(),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => NOT_BEGUN.into(),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => "it is for another name".into(),
        other => other.to_string(),
    }
}
