//! The shape of what an application brings: keys, releases and sites.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::duration;
use crate::model::KeyKind;

/// `[[jwt_keys]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JwtKeys {
    /// Name of the Secret: `jwt_private.pem`, `jwt_public.pem`.
    pub secret: String,
    /// Made when absent.
    pub namespace: String,
    /// How tokens are signed.
    #[serde(default)]
    pub algorithm: Algorithm,
    /// Of RS256, the RSA modulus: 2048, 3072 or 4096; 2048 by default.
    #[serde(default)]
    pub bits: Option<u32>,
    /// Workload that signs.
    #[serde(default)]
    pub signer: Option<String>,
    /// Workloads that verify: `web`, or `blog/web` in another namespace.
    #[serde(default)]
    pub verifiers: Vec<String>,
    /// Name of a ConfigMap with all public keys, as PEM and as a JWKS document, in every namespace where one verifies. What reads it takes
    /// several keys, so that one can follow another.
    #[serde(default)]
    pub public: Option<String>,
    /// How long the longest token is valid, e.g. `1h`; needed with `public`.
    #[serde(default)]
    pub token_lifetime: Option<String>,
}

impl JwtKeys {
    /// Where it is signed or verified.
    pub fn namespaces(&self) -> impl Iterator<Item = &str> {
        self.readers().map(|(namespace, _)| namespace).chain([self.namespace.as_str()])
    }

    /// Namespace and name of each workload that verifies.
    pub fn readers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.verifiers.iter().map(|verifier| verifier.split_once('/').unwrap_or((&self.namespace, verifier)))
    }

    /// Of which kind the pair is.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        match self.algorithm {
            Algorithm::Rs256 => KeyKind::Rs256 { bits: self.bits.unwrap_or(2048) },
            Algorithm::Es256 => KeyKind::Es256,
            Algorithm::EdDsa => KeyKind::EdDsa,
        }
    }
}

/// How tokens are signed, by its name in their `alg`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Algorithm {
    /// RSA.
    #[default]
    #[serde(rename = "RS256")]
    Rs256,
    /// ECDSA on P-256.
    #[serde(rename = "ES256")]
    Es256,
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
}

/// `[[releases]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// Name of the release.
    pub name: String,
    /// Made when absent.
    pub namespace: String,
    /// Folder or `.tgz`.
    pub chart: PathBuf,
    /// Values files, merged in order.
    #[serde(default)]
    pub values: Vec<PathBuf>,
    /// Dotted path of the value that takes the issuer's name.
    #[serde(default)]
    pub issuer_value: Option<String>,
    /// How long its workloads may take, e.g. `4m`.
    #[serde(default = "four_minutes")]
    pub timeout: String,
    /// Restarts per pod forgiven on the first install.
    #[serde(default = "five")]
    pub restart_budget: u32,
}

/// How long workloads may take to roll out where nothing else is said.
pub const ROLLED_OUT: Duration = Duration::from_secs(240);

impl Release {
    /// `timeout`, which was judged when the inventory was read.
    #[must_use]
    pub fn within(&self) -> Duration {
        duration(&self.timeout).unwrap_or(ROLLED_OUT)
    }
}

fn four_minutes() -> String {
    "4m".into()
}

const fn five() -> u32 {
    5
}

/// `[[sites]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// What is served.
    pub domain: String,
    /// Names that answer 301 to `domain`; all in the certificate.
    #[serde(default)]
    pub redirect_from: Vec<String>,
    /// How it is served.
    #[serde(default)]
    pub tls: Tls,
    /// Whose Ingress serves it: a release's, or a playbook's.
    pub release: String,
    /// The TLS Secret, in the release's namespace.
    #[serde(default)]
    pub certificate: Option<String>,
    /// PEM file: with `tls = "own-ca"` the leaf, and the intermediate certificates behind it.
    #[serde(default)]
    pub certificate_file: Option<PathBuf>,
    /// PEM file: the leaf's private key.
    #[serde(default)]
    pub key_file: Option<PathBuf>,
    /// PEM file: the roots that visitors of the site trust.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// How long a certificate may take, e.g. `150s`.
    #[serde(default = "wait")]
    pub wait: String,
    /// What visitors must see.
    #[serde(default)]
    pub checks: Vec<Check>,
    /// Whether bedplate puts its redirects up; else the chart does.
    #[serde(default)]
    pub manage_redirects: bool,
}

impl Site {
    /// `domain` and every name that redirects to it.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.domain.as_str()).chain(self.redirect_from.iter().map(String::as_str))
    }

    /// `wait`, which was judged when the inventory was read.
    #[must_use]
    pub fn within(&self) -> Duration {
        duration(&self.wait).unwrap_or(ISSUED)
    }

    /// The files of `tls = "own-ca"` that it names.
    pub(crate) fn files_mut(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        self.certificate_file.iter_mut().chain(&mut self.key_file).chain(&mut self.ca_file)
    }
}

/// How long a certificate may take where nothing else is said.
const ISSUED: Duration = Duration::from_secs(150);

fn wait() -> String {
    "150s".into()
}

/// How a site is served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tls {
    /// A certificate by ACME, staging first.
    #[default]
    Acme,
    /// By a CA made for it alone: for names that no public CA serves.
    SelfSigned,
    /// By a CA of the user's: certificate and key are files.
    OwnCa,
    /// Plain HTTP.
    Off,
}

/// One GET that must answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// `/healthz`.
    #[serde(default = "slash")]
    pub path: String,
    /// HTTP status.
    #[serde(default = "ok")]
    pub status: u16,
    /// Content of `<title>`, trimmed.
    #[serde(default)]
    pub title: Option<String>,
}

fn slash() -> String {
    "/".into()
}

const fn ok() -> u16 {
    200
}
