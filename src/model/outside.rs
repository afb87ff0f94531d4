//! What a visitor sees.

use serde::Deserialize;

/// Whose root a served chain verifies to. A name in a certificate decides nothing.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// The system's roots, or `acme.production.roots`.
    Production,
    /// `acme.staging.roots`; where the inventory names none, nothing.
    Staging,
    /// Neither, and why.
    Untrusted(String),
}

/// What the handshake says of a certificate that has not begun.
pub const NOT_BEGUN: &str = "it is not valid yet";

/// A certificate as it is served.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Served {
    /// To which roots the chain verifies, for the name that was asked.
    pub phase: Phase,
    /// Subject, e.g. `CN=shop.example`.
    pub subject: String,
    /// Issuer, e.g. `C=US, O=Let's Encrypt, CN=YE1`.
    pub issuer: String,
    /// The version of TLS that was agreed on, e.g. `TLS 1.3`; empty if the handshake broke off.
    #[serde(default)]
    pub version: String,
    /// The key's kind and its bits, e.g. `RSA 2048`; empty if it is of an uncommon kind.
    #[serde(default)]
    pub key: String,
    /// DNS names.
    pub names: Vec<String>,
    /// Seconds since the epoch.
    pub not_before: i64,
    /// Seconds since the epoch.
    pub not_after: i64,
    /// SHA-256 of the leaf's DER, lower-case hex.
    pub sha256: String,
}

/// One answered GET.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Exchange {
    /// HTTP status.
    pub status: u16,
    /// The `Location` header, empty if there is none.
    #[serde(default)]
    pub location: String,
    /// The `Server` header, empty if there is none.
    #[serde(default)]
    pub server: String,
    /// The `Strict-Transport-Security` header, empty if there is none.
    #[serde(default)]
    pub hsts: String,
    /// The first 64 KiB of the body, lossy UTF-8.
    #[serde(default)]
    pub body: String,
}
