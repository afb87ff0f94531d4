//! Key pairs for tokens, made in memory.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::Ed25519KeyPair;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PKCS_RSA_SHA256, PublicKeyData, RsaKeySize};

use crate::jwk::PublicKey;
use crate::model::{KeyKind, Secret};

/// A fresh pair.
pub struct Made {
    /// PKCS#8 PEM.
    pub private: Secret,
    /// SPKI PEM.
    pub public: Secret,
    /// The key's id: its thumbprint by RFC 7638, base64url.
    pub kid: String,
}

/// Makes a pair. An RSA one takes a second or a few: not for an async thread.
///
/// # Errors
/// RSA of another size than 2048, 3072 or 4096 bits, or the crypto library refused.
pub fn make(kind: KeyKind) -> Result<Made, String> {
    let pair = pair(kind)?;
    let key = PublicKey::of(&pair.subject_public_key_info()).ok_or("the public key made can't be read")?;
    Ok(Made { private: Secret::new(pair.serialize_pem()), public: Secret::new(pair.public_key_pem()), kid: key.kid() })
}

fn pair(kind: KeyKind) -> Result<KeyPair, String> {
    let size = match kind {
        KeyKind::Es256 => return KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(|error| error.to_string()),
        KeyKind::EdDsa => return ed25519(),
        KeyKind::Rs256 { bits: 2048 } => RsaKeySize::_2048,
        KeyKind::Rs256 { bits: 3072 } => RsaKeySize::_3072,
        KeyKind::Rs256 { bits: 4096 } => RsaKeySize::_4096,
        KeyKind::Rs256 { bits } => return Err(format!("keys of {bits} bits can't be made: 2048, 3072 and 4096 can")),
    };
    KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, size).map_err(|error| error.to_string())
}

/// In version 1 of PKCS#8: rcgen makes version 2 (RFC 5958), which OpenSSL 3.0 does not read.
fn ed25519() -> Result<KeyPair, String> {
    let made = Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new()).map_err(|error| error.to_string())?;
    KeyPair::from_pkcs8_der_and_sign_algo(&made.as_ref().into(), &PKCS_ED25519).map_err(|error| error.to_string())
}

#[cfg(test)]
#[path = "key_pair_tests.rs"]
mod tests;
