//! What the API server and the operator's machine say.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::Secret;

/// A Secret as it lives.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct LiveSecret {
    /// `metadata.resourceVersion`.
    pub resource_version: String,
    /// `Opaque`, `kubernetes.io/tls`, …
    pub kind: String,
    /// `metadata.creationTimestamp`, seconds since the epoch.
    #[serde(default)]
    pub created: i64,
    /// `metadata.labels`.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// `metadata.annotations`.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
    /// Decoded `data`.
    pub data: BTreeMap<String, Secret>,
}

/// The newest revision of a helm release, out of its Secret (helm's storage driver: base64, gzip, JSON).
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct LiveRelease {
    /// Counts from 1.
    pub revision: u32,
    /// `deployed`, `failed`, `pending-upgrade`, …
    pub status: String,
    /// The newest revision whose status is `deployed`, if there is one.
    #[serde(default)]
    pub deployed: Option<u32>,
    /// `Chart.yaml`'s version.
    pub chart_version: String,
    /// The digest that bedplate put there by `mark`; empty if somebody else made this revision.
    #[serde(default)]
    pub chart_digest: String,
    /// It bears no label of ours: bedplate made no former revision either.
    #[serde(default)]
    pub foreign: bool,
    /// When helm last wrote it down, seconds since the epoch by the clock of that helm's machine.
    #[serde(default)]
    pub changed: i64,
    /// The user's values.
    pub values: Value,
    /// The objects of the rendered manifest, Secrets left out.
    pub objects: Vec<Value>,
}

/// What a server-side dry run says.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct DryRun {
    /// The object now; none: it would be created.
    pub live: Option<Value>,
    /// The object as it would be.
    pub merged: Value,
    /// Values of other field managers that would be replaced.
    #[serde(default)]
    pub conflicts: Vec<Conflict>,
}

impl LiveRelease {
    /// Whether a helm is at it, or was killed; helm refuses to go on from it.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.status.starts_with("pending") || self.status == "uninstalling"
    }

    /// Whether bedplate's own helm began it. Who uninstalls a revision leaves no mark on it.
    #[must_use]
    pub fn is_begun_by_us(&self) -> bool {
        self.status.starts_with("pending") && !self.chart_digest.is_empty()
    }
}

/// A value that a forced apply would take from another field manager.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Conflict {
    /// Whose it is, e.g. `kubectl-edit`.
    pub manager: String,
    /// Which field, as the API server writes it: `.spec.template.spec.containers[name="web"].image`.
    pub field: String,
}

/// An image on the operator's side.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ImageArchive {
    /// References it carries, in full: `docker.io/shop/web:1`.
    pub names: Vec<String>,
    /// Config digest (`sha256:…`): the image's identity.
    pub id: String,
    /// Bytes of its blobs.
    pub size: u64,
    /// Its manifest, its config, then its layers from the lowest up; each once.
    #[serde(default)]
    pub blobs: Vec<Blob>,
}

/// A blob of an image.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Blob {
    /// `sha256:` and 64 hex digits.
    pub digest: String,
    /// E.g. `application/vnd.oci.image.layer.v1.tar+gzip`.
    pub media_type: String,
    /// Bytes.
    pub size: u64,
    /// Of a layer: its digest when unpacked. A plain layer's is its digest.
    pub diff_id: Option<String>,
}

/// A chart on the operator's side.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ChartFacts {
    /// `name` of `Chart.yaml`.
    pub name: String,
    /// `version` of `Chart.yaml`.
    pub version: String,
    /// SHA-256 over the paths and contents of its files, first 40 hex digits: fits a label.
    pub digest: String,
}
