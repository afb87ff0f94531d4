//! Names of hosts and steps.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A host's name in the inventory, e.g. `droplet`. Not an address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HostId(pub String);

impl fmt::Display for HostId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A step's name: its kind, and which one of that kind where there are several: `k3s`, `release/shop`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepId {
    kind: &'static str,
    name: Option<String>,
}

impl StepId {
    /// The only step of its kind in its scope.
    #[must_use]
    pub const fn of(kind: &'static str) -> Self {
        Self { kind, name: None }
    }

    /// One of several steps of a kind.
    #[must_use]
    pub fn named(kind: &'static str, name: impl Into<String>) -> Self {
        Self { kind, name: Some(name.into()) }
    }

    /// Whether `word` is its name, or its kind.
    #[must_use]
    pub fn is_called(&self, word: &str) -> bool {
        word == self.kind || word == self.to_string()
    }
}

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            None => f.write_str(self.kind),
            Some(name) => write!(f, "{}/{name}", self.kind),
        }
    }
}

/// What a step concerns, and so what its `View` may see.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// The machine that bedplate runs on.
    Operator,
    /// One host; no other host's answers are visible.
    Host(HostId),
    /// The cluster: the API server, and the first server host, where helm runs.
    Cluster,
}

impl Scope {
    /// Whether it is the host of this name.
    #[must_use]
    pub fn is_host(&self, name: &str) -> bool {
        matches!(self, Self::Host(host) if host.0 == name)
    }
}
