//! RSA key pairs for RS256, made in memory.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{KeyPair, PKCS_RSA_SHA256, PublicKeyData, RsaKeySize};
use sha2::{Digest, Sha256};
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::model::Secret;

/// A fresh pair.
pub struct Made {
    /// PKCS#8 PEM.
    pub private: Secret,
    /// SPKI PEM.
    pub public: Secret,
    /// The key's id: its thumbprint by RFC 7638, base64url.
    pub kid: String,
}

/// Makes a pair of 2048, 3072 or 4096 bits. Takes a second or a few: not for an async thread.
///
/// # Errors
/// Another size, or the crypto library refused.
pub fn make(bits: u32) -> Result<Made, String> {
    let size = match bits {
        2048 => RsaKeySize::_2048,
        3072 => RsaKeySize::_3072,
        4096 => RsaKeySize::_4096,
        _ => return Err(format!("keys of {bits} bits can't be made: 2048, 3072 and 4096 can")),
    };
    let pair = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, size).map_err(|error| error.to_string())?;
    let kid = thumbprint(&pair.subject_public_key_info()).ok_or("the public key made can't be read")?;
    Ok(Made { private: Secret::new(pair.serialize_pem()), public: Secret::new(pair.public_key_pem()), kid })
}

/// SHA-256 over the key's required members in lexical order (RFC 7638 §3.2).
fn thumbprint(spki: &[u8]) -> Option<String> {
    let (_, info) = SubjectPublicKeyInfo::from_der(spki).ok()?;
    let PublicKey::RSA(key) = info.parsed().ok()? else { return None };
    let number = |bytes: &[u8]| {
        let significant = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
        URL_SAFE_NO_PAD.encode(&bytes[significant..])
    };
    let jwk = format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, number(key.exponent), number(key.modulus));
    Some(URL_SAFE_NO_PAD.encode(Sha256::digest(jwk)))
}

#[cfg(test)]
#[path = "key_pair_tests.rs"]
mod tests;
