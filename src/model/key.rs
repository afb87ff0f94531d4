//! Keys by which tokens are signed.

use std::fmt;

/// Of which kind a key pair is, and so how tokens are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256 {
        /// RSA modulus.
        bits: u32,
    },
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
}

impl KeyKind {
    /// Its name in a token's `alg` (RFC 7518 §3.1, RFC 8037 §3.1).
    #[must_use]
    pub const fn algorithm(self) -> &'static str {
        match self {
            Self::Rs256 { .. } => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rs256 { bits } => write!(f, "an RSA key pair of {bits} bits"),
            Self::Es256 => f.write_str("a P-256 key pair"),
            Self::EdDsa => f.write_str("an Ed25519 key pair"),
        }
    }
}
