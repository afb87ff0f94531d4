//! The certificates in k3s.yaml. Only inline data is taken: the file comes from a host, so its `exec` plugins, paths and
//! addresses must not steer the operator's machine.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::model::Secret;

#[derive(Deserialize)]
struct Kubeconfig {
    clusters: Vec<NamedCluster>,
    users: Vec<NamedUser>,
}

#[derive(Deserialize)]
struct NamedCluster {
    cluster: ClusterData,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct ClusterData {
    certificate_authority_data: String,
}

#[derive(Deserialize)]
struct NamedUser {
    user: UserData,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct UserData {
    client_certificate_data: String,
    client_key_data: Secret,
}

/// A TLS client that trusts the kubeconfig's CA alone and shows its client certificate. It offers no protocol.
///
/// # Errors
/// What lacks, in words that quote nothing of the content.
pub fn client_config(kubeconfig: &Secret) -> Result<ClientConfig, String> {
    let text = kubeconfig.expose_str().ok_or("it is not text")?;
    // The parser's own error would show the line, and with it a key.
    let parsed: Kubeconfig = serde_saphyr::from_str(text).map_err(|_| "it lacks inline certificate data of a cluster or a user")?;
    let cluster = &parsed.clusters.first().ok_or("it names no cluster")?.cluster;
    let user = &parsed.users.first().ok_or("it names no user")?.user;

    let mut roots = RootCertStore::empty();
    for certificate in certificates(&cluster.certificate_authority_data, "certificate-authority-data")? {
        roots.add(certificate).map_err(|error| format!("certificate-authority-data: {error}"))?;
    }
    let chain = certificates(&user.client_certificate_data, "client-certificate-data")?;
    let key = PrivateKeyDer::from_pem_slice(&decoded(user.client_key_data.expose(), "client-key-data")?)
        .map_err(|_| "client-key-data holds no private key")?;

    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_client_auth_cert(chain, key)
        .map_err(|error| format!("client-certificate-data and client-key-data: {error}"))?;
    Ok(config)
}

fn decoded(data: &[u8], field: &str) -> Result<Zeroizing<Vec<u8>>, String> {
    STANDARD.decode(data.trim_ascii()).map(Zeroizing::new).map_err(|_| format!("{field} is not base64"))
}

fn certificates(data: &str, field: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let pem = decoded(data.as_bytes(), field)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match found {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(format!("{field} holds no certificate")),
    }
}

#[cfg(test)]
#[path = "credentials_tests.rs"]
mod tests;
