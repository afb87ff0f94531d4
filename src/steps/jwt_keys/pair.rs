//! What a private RSA key says of itself.

use rcgen::{KeyPair, PublicKeyData};
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::model::Secret;

/// A private key that parses, and its public half.
pub struct Private {
    /// RSA modulus, bits.
    pub bits: u32,
    /// SPKI PEM of the public half.
    pub public_pem: String,
    public_der: Vec<u8>,
}

impl Private {
    /// Reads PKCS#8 PEM.
    ///
    /// # Errors
    /// Why it is no RSA private key, without a word of its content.
    pub fn parse(pem: &Secret) -> Result<Self, &'static str> {
        let text = pem.expose_str().ok_or("it is no text")?;
        let pair = KeyPair::from_pem(text).map_err(|_| "it is no private key in PEM that is safe to use")?;
        let public_der = pair.subject_public_key_info();
        let bits = bits(&public_der).ok_or("it is no RSA key")?;
        Ok(Self { bits, public_pem: pair.public_key_pem(), public_der })
    }

    /// Whether `public`, an SPKI PEM, is this key's other half.
    #[must_use]
    pub fn matches(&self, public: &Secret) -> bool {
        x509_parser::pem::parse_x509_pem(public.expose()).is_ok_and(|(_, pem)| pem.contents == self.public_der)
    }
}

fn bits(spki: &[u8]) -> Option<u32> {
    let (_, info) = SubjectPublicKeyInfo::from_der(spki).ok()?;
    match info.parsed().ok()? {
        // The modulus' leading zero is no part of its size.
        PublicKey::RSA(key) => u32::try_from(key.modulus.iter().skip_while(|byte| **byte == 0).count() * 8).ok(),
        _ => None,
    }
}
