//! What a private key says of itself.

use rcgen::{KeyPair, PublicKeyData};

use crate::jwk::PublicKey;
use crate::model::Secret;

/// A private key that parses, and its public half.
pub struct Private {
    /// The public half.
    pub public: PublicKey,
    /// The same as SPKI PEM.
    pub public_pem: String,
    public_der: Vec<u8>,
}

impl Private {
    /// Reads PKCS#8 PEM.
    ///
    /// # Errors
    /// Why it is no such private key, without a word of its content.
    pub fn parse(pem: &Secret) -> Result<Self, &'static str> {
        let text = pem.expose_str().ok_or("it is no text")?;
        let pair = KeyPair::from_pem(text).map_err(|_| "it is no private key in PEM that is safe to use")?;
        let public_der = pair.subject_public_key_info();
        let public = PublicKey::of(&public_der).ok_or("it is no key for RS256, ES256 or EdDSA")?;
        Ok(Self { public, public_pem: pair.public_key_pem(), public_der })
    }

    /// Whether `public`, an SPKI PEM, is this key's other half.
    #[must_use]
    pub fn matches(&self, public: &Secret) -> bool {
        x509_parser::pem::parse_x509_pem(public.expose()).is_ok_and(|(_, pem)| pem.contents == self.public_der)
    }
}
