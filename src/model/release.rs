//! What helm can be asked to do.

use std::fmt;
use std::path::PathBuf;

use serde_json::Value;

use super::Pin;

/// What helm is asked to do.
#[derive(Clone, Debug, PartialEq)]
pub enum ReleaseAction {
    /// `helm upgrade --install`.
    Upgrade(Box<ReleaseUpgrade>),
    /// `helm uninstall`; a release that is gone already is none of its cares.
    Uninstall {
        /// Namespace.
        namespace: String,
        /// Release.
        name: String,
    },
    /// A helm that was killed left this revision pending: delete its Secret, or roll back to `deployed`.
    ClearPending {
        /// Namespace.
        namespace: String,
        /// Release.
        name: String,
        /// The pending revision.
        revision: u32,
        /// The last good revision, if there is one.
        deployed: Option<u32>,
    },
}

/// A release as it must be.
#[derive(Clone, Debug, PartialEq)]
pub struct ReleaseUpgrade {
    /// Namespace.
    pub namespace: String,
    /// Release.
    pub name: String,
    /// Chart on the operator's side, or a pinned artifact.
    pub chart: ChartSource,
    /// `ChartFacts::digest`, put on the release as the label `bedplate.dev/chart`.
    pub chart_digest: String,
    /// All values, merged.
    pub values: Value,
    /// `--timeout`, seconds.
    pub timeout: u64,
}

/// Where a chart lies.
#[derive(Clone, Debug, PartialEq)]
pub enum ChartSource {
    /// A folder or `.tgz` of the user's.
    Path(PathBuf),
    /// A pinned `.tgz`.
    Artifact(Pin),
}

impl fmt::Display for ReleaseAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Upgrade(release) => write!(f, "helm upgrade --install {} -n {}", release.name, release.namespace),
            Self::Uninstall { namespace, name } => write!(f, "helm uninstall {name} -n {namespace}"),
            Self::ClearPending { namespace, name, revision, deployed } => match deployed {
                Some(good) => write!(f, "helm rollback {name} -n {namespace} to {good}: revision {revision} is pending"),
                None => write!(f, "drop the pending revision {revision} of {name} in {namespace}"),
            },
        }
    }
}
