//! Kubernetes objects as data.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The label that all objects of ours bear, and its value (kubernetes.io: recommended labels).
pub const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "bedplate");

/// Which object: API version, kind, namespace, name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectRef {
    /// `v1`, `apps/v1`, `cert-manager.io/v1`.
    pub api_version: String,
    /// `Deployment`.
    pub kind: String,
    /// Empty for cluster-scoped kinds.
    #[serde(default)]
    pub namespace: String,
    /// `metadata.name`.
    #[serde(default)]
    pub name: String,
}

impl ObjectRef {
    /// An object by its four parts.
    #[must_use]
    pub fn new(api_version: &str, kind: &str, namespace: &str, name: &str) -> Self {
        Self { api_version: api_version.into(), kind: kind.into(), namespace: namespace.into(), name: name.into() }
    }

    /// Every object of a kind, in all namespaces, as lists are asked for.
    #[must_use]
    pub fn every(api_version: &str, kind: &str) -> Self {
        Self::new(api_version, kind, "", "")
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind.to_lowercase();
        match self.namespace.as_str() {
            "" => write!(f, "{kind} {}", self.name),
            namespace => write!(f, "{kind} {namespace}/{}", self.name),
        }
    }
}

/// An object to be applied. Never a Secret: those are `SecretSpec`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    object: ObjectRef,
    body: Value,
}

impl Manifest {
    /// Takes an object with `apiVersion`, `kind` and `metadata.name`; `None` if one of them lacks.
    #[must_use]
    pub fn new(body: Value) -> Option<Self> {
        let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
        let object = ObjectRef {
            api_version: text("/apiVersion")?.into(),
            kind: text("/kind")?.into(),
            namespace: text("/metadata/namespace").unwrap_or_default().into(),
            name: text("/metadata/name")?.into(),
        };
        Some(Self { object, body })
    }

    /// Which object it is.
    #[must_use]
    pub fn object(&self) -> &ObjectRef {
        &self.object
    }

    /// The whole object.
    #[must_use]
    pub fn body(&self) -> &Value {
        &self.body
    }
}

impl Ord for Manifest {
    fn cmp(&self, other: &Self) -> Ordering {
        // Most often it is the same one, looked up.
        let body = || if self.body == other.body { Ordering::Equal } else { self.body.to_string().cmp(&other.body.to_string()) };
        self.object.cmp(&other.object).then_with(body)
    }
}

impl PartialOrd for Manifest {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<'de> Deserialize<'de> for Manifest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let body = Value::deserialize(deserializer)?;
        Self::new(body).ok_or_else(|| serde::de::Error::custom("an object needs apiVersion, kind and metadata.name"))
    }
}
