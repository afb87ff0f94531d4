//! Whether a workload runs as its spec says: what `kubectl rollout status` looks at.

use serde_json::Value;

/// Kinds that roll out.
pub const KINDS: [&str; 3] = ["Deployment", "StatefulSet", "DaemonSet"];

/// What is still missing, in words; none when the rollout is done.
pub fn unfinished(workload: &Value) -> Option<String> {
    let status = |field: &str| workload["status"][field].as_i64().unwrap_or(0);
    if workload["metadata"]["generation"].as_i64().unwrap_or(0) > status("observedGeneration") {
        return Some("its controller has not seen the change yet".into());
    }
    let (wanted, updated, available) = match workload["kind"].as_str() {
        Some("DaemonSet") => (status("desiredNumberScheduled"), status("updatedNumberScheduled"), status("numberAvailable")),
        // A StatefulSet whose pods are all of the newest revision drops the count of updated ones.
        Some("StatefulSet") if workload["status"]["currentRevision"] == workload["status"]["updateRevision"] => {
            (replicas(workload), replicas(workload), status("readyReplicas"))
        }
        _ => (replicas(workload), status("updatedReplicas"), status("availableReplicas")),
    };
    if updated < wanted {
        return Some(format!("{updated} of {wanted} pods are of the new revision"));
    }
    if workload["kind"] == "Deployment" && status("replicas") > updated {
        return Some(format!("{} old pods still run", status("replicas") - updated));
    }
    (available < wanted).then(|| format!("{available} of {wanted} pods are available"))
}

/// Kubernetes fills in 1.
fn replicas(workload: &Value) -> i64 {
    workload["spec"]["replicas"].as_i64().unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn deployment(status: Value) -> Value {
        json!({ "kind": "Deployment", "metadata": { "generation": 2 }, "spec": { "replicas": 2 }, "status": status })
    }

    #[test]
    fn a_deployment_is_done_when_all_new_pods_are_available_and_no_old_one_runs() {
        let cases = [
            (json!({ "observedGeneration": 1 }), Some("its controller has not seen the change yet")),
            (json!({ "observedGeneration": 2, "updatedReplicas": 1 }), Some("1 of 2 pods are of the new revision")),
            (json!({ "observedGeneration": 2, "updatedReplicas": 2, "replicas": 3 }), Some("1 old pods still run")),
            (json!({ "observedGeneration": 2, "updatedReplicas": 2, "replicas": 2 }), Some("0 of 2 pods are available")),
            (json!({ "observedGeneration": 2, "updatedReplicas": 2, "replicas": 2, "availableReplicas": 2 }), None),
        ];
        for (status, expected) in cases {
            assert_eq!(unfinished(&deployment(status)).as_deref(), expected);
        }
    }

    #[test]
    fn a_stateful_set_at_its_newest_revision_needs_its_pods_ready() {
        let set = |ready: i64| {
            json!({ "kind": "StatefulSet", "metadata": { "generation": 1 }, "spec": { "replicas": 1 },
                    "status": { "observedGeneration": 1, "currentRevision": "a", "updateRevision": "a", "readyReplicas": ready } })
        };
        assert_eq!(unfinished(&set(0)).as_deref(), Some("0 of 1 pods are available"));
        assert_eq!(unfinished(&set(1)), None);
    }

    #[test]
    fn a_daemon_set_needs_a_pod_on_every_node() {
        let set = |available: i64| {
            json!({ "kind": "DaemonSet", "metadata": { "generation": 1 },
                    "status": { "observedGeneration": 1, "desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": available } })
        };
        assert_eq!(unfinished(&set(1)).as_deref(), Some("1 of 2 pods are available"));
        assert_eq!(unfinished(&set(2)), None);
    }
}
