//! What `cmctl renew` sets (contract §4.5).

use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};

/// A Certificate whose status asks cert-manager to issue it anew; none: it is being issued already. The whole object goes back, with the
/// version that was read: whatever cert-manager wrote meanwhile is not lost.
pub fn asked(mut live: Value, now: Timestamp) -> Option<Value> {
    let generation = live["metadata"]["generation"].clone();
    let failed = live["status"]["lastFailureTime"].as_str().and_then(|time| time.parse::<Timestamp>().ok());
    // cert-manager takes a request that failed later than this for one of the new issuance, and would fail that too.
    let since = failed.and_then(|failed| failed.checked_add(1.second()).ok()).map_or(now, |after| after.max(now));
    let issuing = json!({
        "type": "Issuing",
        "status": "True",
        "reason": "ManuallyTriggered",
        "message": "Certificate re-issuance manually triggered",
        "observedGeneration": generation,
        "lastTransitionTime": since.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    });
    if !live["status"]["conditions"].is_array() {
        live["status"]["conditions"] = json!([]);
    }
    let conditions = live["status"]["conditions"].as_array_mut()?;
    match conditions.iter_mut().find(|condition| condition["type"] == "Issuing") {
        Some(begun) if begun["status"] == "True" => return None,
        Some(old) => *old = issuing,
        None => conditions.push(issuing),
    }
    Some(live)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(issuing: &str, failed: &str) -> Value {
        json!({ "metadata": { "generation": 3, "resourceVersion": "7" }, "spec": { "secretName": "shop-tls" }, "status": {
            "lastFailureTime": failed, "failedIssuanceAttempts": 2,
            "conditions": [{ "type": "Ready", "status": "False" }, { "type": "Issuing", "status": issuing, "reason": "Failed" }] } })
    }

    #[test]
    fn the_condition_is_that_of_cmctl_and_the_rest_stays() {
        let now = "2026-01-01T00:05:00Z".parse().unwrap();
        let live = certificate("False", "2026-01-01T00:04:00Z");
        let mut expected = live.clone();
        expected["status"]["conditions"][1] = json!({ "type": "Issuing", "status": "True", "reason": "ManuallyTriggered",
            "message": "Certificate re-issuance manually triggered", "observedGeneration": 3, "lastTransitionTime": "2026-01-01T00:05:00Z" });
        assert_eq!(asked(live, now), Some(expected));
        assert_eq!(asked(certificate("True", "2026-01-01T00:04:00Z"), now), None);
    }

    #[test]
    fn it_is_later_than_the_failure_whatever_our_clock_says() {
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        let asked = asked(certificate("False", "2026-01-01T00:04:00Z"), now).unwrap();
        assert_eq!(asked["status"]["conditions"][1]["lastTransitionTime"], "2026-01-01T00:04:01Z");
    }

    #[test]
    fn a_status_without_conditions_gets_one() {
        let asked = asked(json!({ "metadata": { "generation": 1 } }), Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(asked["status"]["conditions"][0]["lastTransitionTime"], "1970-01-01T00:00:00Z");
    }
}
