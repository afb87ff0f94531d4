//! How k3s keeps Secrets in its datastore.

use std::fmt;

use serde::Deserialize;

/// Which keys the API server encrypts Secrets with, and whether it does (k3s-docs:security/secrets-encryption). It is root's, and read
/// for the names of its providers alone.
pub const ENCRYPTION_CONFIG: &str = "/var/lib/rancher/k3s/server/cred/encryption-config.json";

/// Of `HostQuestion::Encryption`: what can read Secrets there; the first one writes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// As they are.
    Identity,
    /// By AES-CBC.
    Aescbc,
    /// By XSalsa20 and Poly1305.
    Secretbox,
}

/// What `k3s secrets-encrypt` is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encrypting {
    /// `enable`, where Secrets were never encrypted: nothing is until k3s was started with `secrets-encryption`, and has a key.
    Enable,
    /// `rotate-keys`, and wait until every Secret is written by the new key.
    RotateKeys,
    /// `reencrypt`, where a change of keys was cut off, and wait until every Secret is written by the key that k3s has.
    Reencrypt,
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Identity => "identity",
            Self::Aescbc => "AES-CBC",
            Self::Secretbox => "XSalsa20-Poly1305",
        })
    }
}

impl fmt::Display for Encrypting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Enable => "let k3s encrypt secrets from its next start on",
            Self::RotateKeys => "have k3s make a key, and encrypt every secret with it",
            Self::Reencrypt => "have k3s encrypt every secret anew with the key that it has",
        })
    }
}
