//! The rig's own certificate authority: for the servers that the operator must reach over verified TLS.

use std::fs;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use anyhow::Result;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};

use super::network::BRIDGE;
use super::place::Place;

/// Files in PEM.
pub struct Ca {
    /// What a client must trust.
    pub root: PathBuf,
    /// The servers' certificate, valid for the bridge's address.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// The authority and its one certificate, made when the rig first goes up; its own key is thrown away.
pub fn ca(place: &Place) -> Result<Ca> {
    let folder = place.folder("ca")?;
    let files = Ca { root: root(place), certificate: folder.join("server.pem"), key: folder.join("server.key") };
    // Written last, so it stands for all three.
    if files.root.exists() {
        return Ok(files);
    }
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    authority.distinguished_name.push(DnType::CommonName, "bedplate rig root");
    let authority_key = KeyPair::generate()?;
    let own = authority.self_signed(&authority_key)?;

    let mut server = CertificateParams::new(vec![BRIDGE.to_owned()])?;
    server.distinguished_name.push(DnType::CommonName, "bedplate rig servers");
    server.use_authority_key_identifier_extension = true;
    let server_key = KeyPair::generate()?;
    let signed = server.signed_by(&server_key, &Issuer::from_params(&authority, &authority_key))?;

    let mut key = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&files.key)?;
    std::io::Write::write_all(&mut key, server_key.serialize_pem().as_bytes())?;
    fs::write(&files.certificate, signed.pem())?;
    fs::write(&files.root, own.pem())?;
    Ok(files)
}

/// What a client must trust to reach the rig's own servers, PEM.
pub fn root(place: &Place) -> PathBuf {
    place.state.join("ca/acme-ca.pem")
}
