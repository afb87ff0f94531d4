//! Key pairs.

use std::sync::LazyLock;

use bedplate::model::KeyKind;

/// Private and public half. Making one takes a while, so a few are made and taken in turns.
pub fn key_pair(kind: KeyKind, turn: u64) -> (String, String) {
    static MADE: LazyLock<Vec<(String, String)>> = LazyLock::new(|| (0..5).map(|_| make(rcgen::RsaKeySize::_2048)).collect());
    match kind {
        KeyKind::Rs256 { bits: 2048 } => MADE[usize::try_from(turn).unwrap() % MADE.len()].clone(),
        KeyKind::Rs256 { bits: 3072 } => make(rcgen::RsaKeySize::_3072),
        KeyKind::Rs256 { .. } => make(rcgen::RsaKeySize::_4096),
        KeyKind::Es256 => pems(&rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap()),
        KeyKind::EdDsa => pems(&rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap()),
    }
}

fn make(size: rcgen::RsaKeySize) -> (String, String) {
    pems(&rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, size).unwrap())
}

fn pems(key: &rcgen::KeyPair) -> (String, String) {
    (key.serialize_pem(), key.public_key_pem())
}
