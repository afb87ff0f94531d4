//! Reading an object's `status`.

use serde_json::Value;

/// Why a condition is not True, e.g. `Ready=False: KubeletNotReady: cni plugin not initialized`; none: it is.
pub fn lacks(object: &Value, condition: &str) -> Option<String> {
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
    let Some(found) = conditions.into_iter().flatten().find(|one| one["type"] == condition) else {
        return Some(format!("{condition} is not told yet"));
    };
    if found["status"] == "True" {
        return None;
    }
    let text = |key: &str| found[key].as_str().unwrap_or_default();
    let told: Vec<_> = [text("reason"), text("message")].into_iter().filter(|text| !text.is_empty()).collect();
    Some(format!("{condition}={}: {}", text("status"), told.join(": ")))
}

/// Why a Service has no address; none: it has one.
pub fn lacks_address(service: &Value) -> Option<String> {
    let first = service.pointer("/status/loadBalancer/ingress/0");
    let told = first.is_some_and(|first| first["ip"].is_string() || first["hostname"].is_string());
    (!told).then(|| "it has no address yet".into())
}
