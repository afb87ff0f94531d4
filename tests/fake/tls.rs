//! Certificates of make-believe CAs: real X.509, so that the steps parse what they would parse.

use rcgen::{CertificateParams, DnType, KeyPair};
use sha2::{Digest, Sha256};

/// A leaf.
#[derive(Clone)]
pub struct Leaf {
    pub issuer: String,
    pub names: Vec<String>,
    pub pem: String,
    pub key: String,
    pub sha256: String,
}

pub fn now() -> i64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs().cast_signed()
}

/// A leaf for these names, said to be of this issuer.
pub fn leaf(issuer: &str, names: &[String]) -> Leaf {
    let mut params = CertificateParams::new(names.to_vec()).unwrap();
    params.distinguished_name.push(DnType::CommonName, issuer);
    params.not_before = rcgen::date_time_ymd(2026, 1, 1);
    params.not_after = rcgen::date_time_ymd(2036, 1, 1);
    let key = KeyPair::generate().unwrap();
    let cert = params.self_signed(&key).unwrap();
    Leaf {
        issuer: issuer.into(),
        names: names.to_vec(),
        pem: cert.pem(),
        key: key.serialize_pem(),
        sha256: format!("{:x}", Sha256::digest(cert.der())),
    }
}
