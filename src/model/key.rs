//! Keys by which tokens are signed.

use std::fmt;

/// Key of a `CreateKeyPair`'s Secret: the private half, PKCS#8 PEM.
pub const JWT_PRIVATE: &str = "jwt_private.pem";
/// Key of a `CreateKeyPair`'s Secret: the public half, SPKI PEM.
pub const JWT_PUBLIC: &str = "jwt_public.pem";

/// Key of the same Secret while its pair is rotated: the private half that signs next.
pub const JWT_NEXT: &str = "jwt_next_private.pem";
/// Key of the same Secret while its pair is rotated: the public half of what signed before.
pub const JWT_OLD: &str = "jwt_old_public.pem";

/// Annotation of a `CreateKeyPair`'s Secret: the key pair's id.
pub const KEY_ID: &str = "bedplate.dev/kid";
/// Annotation of the same Secret: from when on nothing that the old key signed is valid.
pub const WITHDRAWN_AFTER: &str = "bedplate.dev/withdrawn-after";

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
