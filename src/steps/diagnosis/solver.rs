//! The solver's pod.

use serde_json::Value;

use crate::model::Missing;

use super::super::workloads::pods::Pod;
use super::ask::POD;
use super::case::Case;
use super::cause::Cure;
use crate::steps::object::owned;

/// Why it does not run; none: it does.
///
/// # Errors
/// Pods can't be seen.
pub fn judge(case: &Case<'_>, challenge: &Value) -> Result<Option<(String, Cure)>, Missing> {
    let namespace = case.namespace();
    let pods = owned(case.all(POD)?, &[challenge]);
    let Some(pod) = pods.first() else {
        return Ok(Some(("its solver's pod is gone".into(), Cure::Time("cert-manager makes it anew at its next check".into()))));
    };
    let Some(trouble) = Pod::of(pod).trouble() else { return Ok(None) };
    let has = |words: &[&str]| words.iter().any(|word| trouble.contains(word));
    let cure = if has(&["ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull"]) {
        "let the node pull cert-manager's acmesolver image: its registry, a mirror in registries.yaml, or its archive in `images`".into()
    } else if has(&["CreateContainerConfigError"]) {
        "the solver's image must have a numeric user that is not root: use cert-manager's own".into()
    } else if has(&["Insufficient", "taint", "node(s)"]) {
        "make room on a node, or take the taint away: kubectl describe nodes".into()
    } else {
        format!("kubectl -n {namespace} describe pod {}", Pod::of(pod).name())
    };
    Ok(Some((format!("the solver's pod does not run: {trouble}"), Cure::User(cure))))
}
