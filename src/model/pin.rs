//! Artifacts and the digests that they are pinned to.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An artifact by name: what a pin is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ArtifactRef {
    /// `k3s`, `k3s-airgap`, `helm`, `cert-manager`.
    pub name: String,
    /// Upstream's version, e.g. `v1.35.5+k3s1`.
    pub version: String,
    /// `amd64`, `arm64`, `arm`; none for what runs anywhere (charts).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arch: Option<String>,
}

impl fmt::Display for ArtifactRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.version)?;
        match &self.arch {
            Some(arch) => write!(f, " ({arch})"),
            None => Ok(()),
        }
    }
}

/// One entry of `bedplate.lock`: an artifact and what it must be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// Which artifact.
    #[serde(flatten)]
    pub artifact: ArtifactRef,
    /// Where it was fetched from when it was learnt.
    pub url: String,
    /// Bytes.
    pub size: u64,
    /// Lower-case hex.
    pub sha256: String,
    /// How the digest was learnt, for people.
    pub learnt: String,
    /// When, RFC 3339.
    pub at: String,
}

/// `bedplate.lock`, whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pins {
    /// In the order in which they were learnt.
    #[serde(default, rename = "artifact")]
    pub artifacts: Vec<Pin>,
}

impl Pins {
    /// The pin of an artifact, if it was ever met.
    #[must_use]
    pub fn of(&self, artifact: &ArtifactRef) -> Option<&Pin> {
        self.artifacts.iter().find(|pin| &pin.artifact == artifact)
    }
}
