//! Bytes that must never be shown, and the Secrets that hold them.

use std::collections::BTreeMap;
use std::fmt;

use rand::distr::{Alphanumeric, Distribution as _};
use serde::{Deserialize, Deserializer, de};
use zeroize::Zeroizing;

/// Secret bytes: wiped when dropped; without `Display` and `Serialize`, and a `Debug` that shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes ownership of `bytes`; the caller keeps no copy.
    #[must_use]
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    /// The bytes themselves. Whoever calls this answers for where they go.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The bytes as text, or `None` if they are not UTF-8.
    #[must_use]
    pub fn expose_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

/// How a value is made up, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recipe {
    /// So many letters and digits.
    Password(usize),
}

impl Recipe {
    /// `password:32`. Fewer than 16 could be guessed.
    #[must_use]
    pub fn named(text: &str) -> Option<Self> {
        let length = text.strip_prefix("password:")?.parse().ok()?;
        (16..=256).contains(&length).then_some(Self::Password(length))
    }

    /// A new value, from a generator that is fit for keys.
    #[must_use]
    pub fn make(self) -> Secret {
        let Self::Password(length) = self;
        Secret::new(Alphanumeric.sample_iter(rand::rng()).take(length).collect::<Vec<u8>>())
    }
}

impl<'de> Deserialize<'de> for Recipe {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let known = "password:NUMBER with a number from 16 to 256";
        Self::named(&text).ok_or_else(|| de::Error::invalid_value(de::Unexpected::Str(&text), &known))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

/// For golden cases, where made-up secrets stand in plain text.
impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// Key of a TLS Secret: the chain in PEM, the leaf first.
pub const TLS_CHAIN: &str = "tls.crt";
/// Key of a TLS Secret: the leaf's private key in PEM.
pub const TLS_KEY: &str = "tls.key";
/// Key of a `CreateCertificate`'s Secret: the CA that signed the leaf, in PEM.
pub const TLS_CA: &str = "ca.crt";

/// Annotation of a Secret: its keys whose values were made up, with commas between. They lie nowhere else.
pub const MADE_UP: &str = "bedplate.dev/made-up";

/// A Secret as it must be.
#[derive(Clone, Debug, PartialEq)]
pub struct SecretSpec {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Of which kind it is made; a live one's can't be changed.
    pub kind: SecretKind,
    /// Exactly these keys.
    pub data: BTreeMap<String, Secret>,
    /// Annotations that must stand there beside those that we always write; none as a value: it goes.
    pub annotations: BTreeMap<String, Option<String>>,
    /// `resourceVersion` of the live Secret that the plan was made from; none: there was none.
    pub resource_version: Option<String>,
}

/// What Kubernetes takes a Secret for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretKind {
    /// Anything.
    Opaque,
    /// A chain and its key.
    Tls,
}

impl SecretKind {
    /// As the API has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opaque => "Opaque",
            Self::Tls => "kubernetes.io/tls",
        }
    }
}

/// A certificate that is to be made, with a CA for it alone whose key is kept nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateSpec {
    /// Namespace.
    pub namespace: String,
    /// Name of the Secret.
    pub name: String,
    /// DNS names, the first one for people.
    pub names: Vec<String>,
    /// `resourceVersion` of the live Secret that it replaces; none: there was none.
    pub resource_version: Option<String>,
}

impl fmt::Display for CertificateSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { namespace, name, names, .. } = self;
        write!(f, "a certificate for {} as secret {namespace}/{name}", names.join(", "))
    }
}
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_long_and_never_the_same() {
        let (one, other) = (Recipe::Password(32).make(), Recipe::Password(32).make());
        assert!(one != other && one.expose().len() == 32 && one.expose().iter().all(u8::is_ascii_alphanumeric));
        for bad in ["", "password", "password:", "password:15", "password:257", "password:-1", "token:32"] {
            assert_eq!(Recipe::named(bad), None, "{bad}");
        }
    }
}
