//! Pods that read something only when they start.

use serde_json::Value;

use super::ObjectRef;

/// Pods that must be made anew, since they read something only when they start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restart {
    /// Deployment, StatefulSet or DaemonSet.
    pub workload: ObjectRef,
    /// Name of the Secret or ConfigMap that its pods read.
    pub reads: String,
    /// What that holds now: random, or public.
    pub revision: String,
}

impl Restart {
    /// The annotation of a pod template that holds the revision of what its pods read.
    #[must_use]
    pub fn annotation(reads: &str) -> String {
        format!("revision.bedplate.dev/{reads}")
    }

    /// Whether the live workload was told this revision.
    #[must_use]
    pub fn is_told(&self, live: &Value) -> bool {
        self.marks(&live["spec"]["template"])
    }

    /// Whether a pod, or a template of pods, is of this revision.
    #[must_use]
    pub fn marks(&self, pod: &Value) -> bool {
        pod["metadata"]["annotations"][Self::annotation(&self.reads)] == self.revision.as_str()
    }
}
