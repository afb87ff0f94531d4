//! Public keys as JSON Web Keys (RFC 7517; their members are those of RFC 7518 §6 and RFC 8037 §2), and the thumbprints that are their
//! ids (RFC 7638).

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use x509_parser::oid_registry::{OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_SIG_ED25519};
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey as Parsed;
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::model::KeyKind;

/// A public key by which tokens are verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// How tokens of its other half are signed.
    pub kind: KeyKind,
    /// The members without which it would be another key: those of its thumbprint.
    members: BTreeMap<&'static str, String>,
}

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo in DER; `None` for what is none, and for keys of other kinds.
    #[must_use]
    pub fn of(spki: &[u8]) -> Option<Self> {
        let (_, info) = SubjectPublicKeyInfo::from_der(spki).ok()?;
        let point = &info.subject_public_key.data;
        if let Parsed::RSA(key) = info.parsed().ok()? {
            let modulus = significant(key.modulus);
            let members = [("kty", "RSA".into()), ("e", base64url(significant(key.exponent))), ("n", base64url(modulus))];
            let bits = u32::try_from(modulus.len() * 8).ok()?;
            return Some(Self { kind: KeyKind::Rs256 { bits }, members: members.into() });
        }
        let algorithm = &info.algorithm;
        if algorithm.algorithm == OID_SIG_ED25519 && point.len() == 32 {
            let members = [("kty", "OKP".into()), ("crv", "Ed25519".into()), ("x", base64url(point))];
            return Some(Self { kind: KeyKind::EdDsa, members: members.into() });
        }
        let curve = algorithm.parameters.as_ref().and_then(|curve| curve.as_oid().ok());
        if algorithm.algorithm != OID_KEY_TYPE_EC_PUBLIC_KEY || curve != Some(OID_EC_P256) {
            return None;
        }
        // SEC 1, §2.3.3: 4, then both coordinates in full.
        let (x, y) = point.strip_prefix(&[4]).filter(|both| both.len() == 64)?.split_at(32);
        let members = [("kty", "EC".into()), ("crv", "P-256".into()), ("x", base64url(x)), ("y", base64url(y))];
        Some(Self { kind: KeyKind::Es256, members: members.into() })
    }

    /// The same of PEM.
    #[must_use]
    pub fn of_pem(pem: &[u8]) -> Option<Self> {
        let (_, pem) = x509_parser::pem::parse_x509_pem(pem).ok()?;
        Self::of(&pem.contents)
    }

    /// Its thumbprint: SHA-256 over its members in lexical order, base64url.
    #[must_use]
    pub fn kid(&self) -> String {
        let members: Vec<String> = self.members.iter().map(|(name, value)| format!(r#""{name}":"{value}""#)).collect();
        base64url(&Sha256::digest(format!("{{{}}}", members.join(","))))
    }

    /// The key as an item of a JWKS document.
    #[must_use]
    pub fn jwk(&self) -> Value {
        let mut jwk = json!(self.members);
        jwk["alg"] = self.kind.algorithm().into();
        jwk["kid"] = self.kid().into();
        jwk["use"] = "sig".into();
        jwk
    }
}

fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A number without the zeros that DER puts before it.
fn significant(number: &[u8]) -> &[u8] {
    let first = number.iter().position(|byte| *byte != 0).unwrap_or(number.len());
    &number[first..]
}

#[cfg(test)]
#[path = "jwk_tests.rs"]
mod tests;
