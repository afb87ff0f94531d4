//! Reading an object's `status`.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::steps::object::condition;

/// Why a condition is not True, e.g. `Ready=False: KubeletNotReady: cni plugin not initialized`; none: it is.
pub fn lacks(object: &Value, name: &str) -> Option<String> {
    let Some(found) = condition(object, name) else {
        return Some(format!("{name} is not told yet"));
    };
    if found["status"] == "True" {
        return None;
    }
    let text = |key: &str| found[key].as_str().unwrap_or_default();
    let told: Vec<_> = [text("reason"), text("message")].into_iter().filter(|text| !text.is_empty()).collect();
    Some(format!("{name}={}: {}", text("status"), told.join(": ")))
}

/// Since when nothing is heard of a Node, seconds since the epoch, as the node controller noted it (kubernetes.io: Nodes, heartbeats); none:
/// it tells of itself.
pub fn silent_since(node: &Value) -> Option<i64> {
    let ready = condition(node, "Ready").filter(|ready| ready["status"] == "Unknown")?;
    ready["lastTransitionTime"].as_str()?.parse().ok().map(Timestamp::as_second)
}

/// Why a node's lease does not tell that kubelet has run for so long since `started` (µs since the epoch); none: it does.
pub fn unsettled(lease: &Value, started: u64, settled: Duration) -> Option<String> {
    let renewed = lease.pointer("/spec/renewTime").and_then(Value::as_str).and_then(|time| time.parse::<Timestamp>().ok());
    let renewed = renewed.and_then(|time| u64::try_from(time.as_microsecond()).ok()).unwrap_or(0);
    let ran = match renewed.checked_sub(started) {
        Some(ran) => Duration::from_micros(ran),
        None => return Some("it has told nothing of itself since the start".into()),
    };
    let told = || format!("it told of itself {} s after the start, and {} s are needed", ran.as_secs(), settled.as_secs());
    (ran < settled).then(told)
}

/// Why a Service has no address; none: it has one.
pub fn lacks_address(service: &Value) -> Option<String> {
    let first = service.pointer("/status/loadBalancer/ingress/0");
    let told = first.is_some_and(|first| first["ip"].is_string() || first["hostname"].is_string());
    (!told).then(|| "it has no address yet".into())
}
