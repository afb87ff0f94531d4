//! What helm can be asked to do.

use std::cmp::Ordering;
use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;

use super::Pin;

/// The label by which bedplate knows its releases, and what it installed.
pub const CHART_LABEL: &str = "bedplate.dev/chart";
/// In place of a chart's digest, where bedplate rolled back.
pub const ROLLED_BACK: &str = "rolled-back";

/// The label's value on a revision that bedplate makes. helm carries labels over from revision to revision, whoever makes the next one, and
/// whatever its chart: so the revision stands in it.
#[must_use]
pub fn mark(digest: &str, revision: u32) -> String {
    format!("{digest}.{revision}")
}

/// The digest, if the label was put on this very revision.
#[must_use]
pub fn marked(label: &str, revision: u32) -> Option<&str> {
    let (digest, of) = label.rsplit_once('.')?;
    (of.parse() == Ok(revision)).then_some(digest)
}

/// What helm is asked to do.
#[derive(Clone, Debug, PartialEq)]
pub enum ReleaseAction {
    /// `helm upgrade --install`.
    Upgrade {
        /// What it must become.
        release: Box<ReleaseUpgrade>,
        /// The revision that this makes.
        revision: u32,
    },
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
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct ReleaseUpgrade {
    /// Namespace.
    pub namespace: String,
    /// Release.
    pub name: String,
    /// Chart on the operator's side, or a pinned artifact.
    pub chart: ChartSource,
    /// `ChartFacts::digest`, put on the release by `mark`.
    pub chart_digest: String,
    /// All values, merged.
    pub values: Value,
    /// `--timeout`, seconds.
    pub timeout: u64,
}

/// Its values may hold secrets.
impl fmt::Debug for ReleaseUpgrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReleaseUpgrade({}/{} of {:?})", self.namespace, self.name, self.chart)
    }
}

impl Ord for ReleaseUpgrade {
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |one: &Self| (one.namespace.clone(), one.name.clone(), one.chart.clone(), one.chart_digest.clone(), one.timeout);
        key(self).cmp(&key(other)).then_with(|| self.values.to_string().cmp(&other.values.to_string()))
    }
}

impl PartialOrd for ReleaseUpgrade {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Where a chart lies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChartSource {
    /// A folder or `.tgz` of the user's.
    Path(PathBuf),
    /// A pinned `.tgz`.
    Artifact(Pin),
}

impl fmt::Display for ReleaseAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Upgrade { release, .. } => write!(f, "helm upgrade --install {} -n {}", release.name, release.namespace),
            Self::Uninstall { namespace, name } => write!(f, "helm uninstall {name} -n {namespace}"),
            Self::ClearPending { namespace, name, revision, deployed } => match deployed {
                Some(good) => write!(f, "helm rollback {name} -n {namespace} to {good}: revision {revision} is pending"),
                None => write!(f, "drop the pending revision {revision} of {name} in {namespace}"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_that_was_carried_over_is_none() {
        let label = mark("c0ffee", 3);
        assert_eq!((marked(&label, 3), marked(&label, 4)), (Some("c0ffee"), None));
        assert_eq!((marked("c0ffee", 3), marked("", 1)), (None, None));
        assert!(mark(&"c".repeat(40), u32::MAX).len() <= 63, "a label takes 63 letters");
    }
}
