//! A stand for the tests of this folder: made-up CAs, and a server on loopback that shows what it is told to.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use tempfile::NamedTempFile;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::chain::Roots;
use super::trust::Trust;

/// A root and its file.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    pub file: NamedTempFile,
}

impl Authority {
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(issuer.pem().as_bytes()).unwrap();
        Self { issuer, file }
    }

    pub fn issue(&self, names: &[&str], lifetime: Lifetime) -> Leaf {
        let key = KeyPair::generate().unwrap();
        let certificate = params(names, lifetime).signed_by(&key, &self.issuer).unwrap();
        Leaf { certificate: certificate.der().clone(), key }
    }
}

pub enum Lifetime {
    Current,
    Past,
}

pub struct Leaf {
    certificate: CertificateDer<'static>,
    key: KeyPair,
}

impl Leaf {
    /// A thief of the certificate, not of its key.
    pub fn with_key_of(self, other: Self) -> Self {
        Self { key: other.key, ..self }
    }
}

/// Signed by nobody else.
pub fn self_signed(common_name: &str) -> Leaf {
    let mut params = params(&[common_name], Lifetime::Current);
    params.distinguished_name.push(DnType::CommonName, common_name);
    let key = KeyPair::generate().unwrap();
    Leaf { certificate: params.self_signed(&key).unwrap().der().clone(), key }
}

fn params(names: &[&str], lifetime: Lifetime) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.subject_alt_names = names.iter().map(|name| rcgen::SanType::DnsName((*name).replace(' ', "-").try_into().unwrap())).collect();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, names[0]);
    if matches!(lifetime, Lifetime::Past) {
        (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2020, 2, 1));
    }
    params
}

/// Two CAs and the roots that know them.
pub struct Stand {
    pub production: Authority,
    pub staging: Authority,
    pub roots: Arc<Roots>,
}

impl Stand {
    pub fn new() -> Self {
        Self::named("production root", "staging root")
    }

    pub fn named(production: &str, staging: &str) -> Self {
        let (production, staging) = (Authority::new(production), Authority::new(staging));
        let trust = Trust { production: vec![production.file.path().into()], staging: vec![staging.file.path().into()] };
        Self { roots: Arc::new(Roots::load(&trust).unwrap()), production, staging }
    }

    /// The same production root, and no staging roots.
    pub fn without_staging(&self) -> Arc<Roots> {
        Arc::new(Roots::load(&Trust { production: vec![self.production.file.path().into()], staging: Vec::new() }).unwrap())
    }
}

/// Serves `leaf` and answers every request with `answer`, until the test's runtime ends.
pub async fn serve_tls(leaf: Leaf, answer: String) -> SocketAddr {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let key = provider.key_provider.load_private_key(PrivateKeyDer::try_from(leaf.key.serialize_der()).unwrap()).unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(CertifiedKey::new(vec![leaf.certificate], key))));
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((line, _)) = listener.accept().await {
            if let Ok(line) = acceptor.accept(line).await {
                respond(line, &answer).await;
            }
        }
    });
    address
}

/// Answers every request with `answer`, unencrypted.
pub async fn serve_plain(answer: String) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((line, _)) = listener.accept().await {
            respond(line, &answer).await;
        }
    });
    address
}

/// A port that nobody listens on.
pub async fn closed() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

async fn respond(mut line: impl AsyncRead + AsyncWrite + Unpin, answer: &str) {
    let (mut request, mut chunk) = (Vec::new(), [0; 1024]);
    while !request.windows(4).any(|window| window == b"\r\n\r\n") {
        match line.read(&mut chunk).await {
            Ok(read) if read > 0 => request.extend_from_slice(&chunk[..read]),
            _ => return,
        }
    }
    // The client may hang up before the end: it reads only so much.
    let _ = line.write_all(answer.as_bytes()).await;
    let _ = line.shutdown().await;
}
