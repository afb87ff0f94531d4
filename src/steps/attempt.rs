//! After a failed issuance cert-manager waits an hour, then two, then four (contract §4.3). Once the cause is cured it is asked anew, as
//! `cmctl renew` does (§4.5). How often it failed the cluster's own objects tell: no number of runs comes near the CA's limit.

use serde_json::Value;

use super::object::{condition, is_stale, list, seconds, text};
use super::problem;

const HOUR: i64 = 3600;
/// What failed just now is told, not tried: the run that sees an order fail ends there.
const PAUSE: i64 = 30;
/// Failures within an hour. A CA forgives five of a name (§4.6), and the last one stays for cert-manager itself.
const ENOUGH: i64 = 4;

/// An issuance that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failed<'a> {
    /// When, seconds since the epoch.
    pub at: i64,
    /// In a row.
    pub times: i64,
    /// What cert-manager says of it.
    pub said: &'a str,
}

/// Whether it may be asked for anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// At once.
    Now,
    /// It has failed within these seconds.
    Failing,
    /// From then on, seconds since the epoch, and why not before.
    From(i64, &'static str),
}

impl<'a> Failed<'a> {
    /// As a Certificate's status has it; none: nothing failed, it was begun anew since, or its spec has changed since, and then
    /// cert-manager orders at once.
    pub fn of(certificate: &'a Value) -> Option<Self> {
        let issuing = condition(certificate, "Issuing").filter(|issuing| issuing["status"] == "False" && issuing["reason"] != "Issued")?;
        let at = text(certificate, "/status/lastFailureTime").and_then(seconds).filter(|_| !is_stale(issuing, certificate))?;
        let times = certificate["status"]["failedIssuanceAttempts"].as_i64().unwrap_or(1);
        Some(Self { at, times, said: issuing["message"].as_str().unwrap_or_default() })
    }

    /// When cert-manager orders again by itself: 1 h · 2^(n−1) after the n-th, 32 h at most.
    pub fn retry(&self) -> i64 {
        self.at + (HOUR << (self.times.clamp(1, 6) - 1))
    }

    /// Judges it at a time. `orders` are all of the namespace, `names` the certificate's.
    pub fn next(&self, orders: &[Value], names: &[String], now: i64) -> Next {
        if problem::kind(self.said) == Some("rateLimited") {
            // A CA that names no time is left to cert-manager.
            let until = problem::retry_after(self.said).unwrap_or_else(|| self.retry());
            if until > now {
                return Next::From(until, "a limit of the CA is reached");
            }
        }
        let (failures, last) = self.recent(orders, names, now);
        if failures >= ENOUGH {
            return Next::From(last + HOUR, "a CA forgives five failures of a name within an hour");
        }
        if now - self.at < PAUSE { Next::Failing } else { Next::Now }
    }

    /// Failures within the last hour, and the last of them. cert-manager counts those in a row and keeps each certificate's last order only.
    fn recent(&self, orders: &[Value], names: &[String], now: i64) -> (i64, i64) {
        let lately = |at: i64| now - at < HOUR;
        let ours = |order: &&Value| list(order, "/spec/dnsNames").any(|name| names.iter().any(|own| name == own));
        let ends = orders.iter().filter(ours).filter_map(|order| text(order, "/status/failureTime").and_then(seconds));
        let late: Vec<i64> = ends.filter(|at| lately(*at)).collect();
        let in_a_row = if lately(self.at) { self.times } else { 0 };
        let orders = i64::try_from(late.len()).unwrap_or(i64::MAX);
        (in_a_row.max(orders), late.into_iter().fold(self.at, i64::max))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: i64 = 100 * HOUR;

    fn failed(ago: i64, times: i64, said: &str) -> Failed<'_> {
        Failed { at: NOW - ago, times, said }
    }

    fn order(name: &str, ago: i64) -> Value {
        let at = jiff::Timestamp::from_second(NOW - ago).unwrap().to_string();
        json!({ "spec": { "dnsNames": [name] }, "status": { "state": "invalid", "failureTime": at } })
    }

    fn next(failed: Failed<'_>, orders: &[Value]) -> Next {
        failed.next(orders, &["shop.example".to_owned()], NOW)
    }

    #[test]
    fn what_has_failed_is_asked_for_anew_and_not_in_the_same_breath() {
        assert_eq!(next(failed(29, 1, ""), &[]), Next::Failing);
        assert_eq!(next(failed(30, 1, ""), &[]), Next::Now);
        assert_eq!(next(failed(30, 3, ""), &[]), Next::Now);
    }

    #[test]
    fn four_failures_within_an_hour_are_enough() {
        let from = |next: Next| if let Next::From(at, _) = next { Some(at) } else { None };
        assert_eq!(from(next(failed(60, 4, ""), &[])), Some(NOW - 60 + HOUR));
        assert_eq!(next(failed(HOUR, 4, ""), &[]), Next::Now);
        let own = [50, 600, 700, 800].map(|ago| order("shop.example", ago));
        assert_eq!(from(next(failed(60, 1, ""), &own)), Some(NOW - 50 + HOUR), "other certificates of the same name count");
        let others = [50, 600, 700, 800].map(|ago| order("api.example", ago));
        assert_eq!(next(failed(60, 1, ""), &others), Next::Now);
        let old = [50, 600, 700, HOUR].map(|ago| order("shop.example", ago));
        assert_eq!(next(failed(60, 1, ""), &old), Next::Now);
    }

    #[test]
    fn a_limit_is_kept_until_its_end() {
        let limit = |at: i64| {
            let at = jiff::Timestamp::from_second(at).unwrap().strftime("%Y-%m-%d %H:%M:%S UTC");
            format!("429 urn:ietf:params:acme:error:rateLimited: too many new orders (300) from this account, retry after {at}")
        };
        let reached = "a limit of the CA is reached";
        assert_eq!(next(failed(7200, 1, &limit(NOW + 1)), &[]), Next::From(NOW + 1, reached));
        assert_eq!(next(failed(7200, 1, &limit(NOW)), &[]), Next::Now);
        let silent = "429 urn:ietf:params:acme:error:rateLimited: busy";
        assert_eq!(next(failed(60, 2, silent), &[]), Next::From(NOW - 60 + 2 * HOUR, reached));
    }

    #[test]
    fn a_status_is_read() {
        let status = |reason: &str, observed: i64| {
            json!({ "metadata": { "generation": 2 }, "status": { "lastFailureTime": "1970-01-01T01:00:00Z", "failedIssuanceAttempts": 2,
                "conditions": [{ "type": "Issuing", "status": "False", "reason": reason, "message": "why", "observedGeneration": observed }] } })
        };
        let failed = status("Failed", 2);
        let read = Failed::of(&failed).unwrap();
        assert_eq!((read, read.retry()), (Failed { at: HOUR, times: 2, said: "why" }, 3 * HOUR));
        assert_eq!(Failed::of(&status("Issued", 2)), None);
        assert_eq!(Failed::of(&status("Failed", 1)), None, "the spec has changed since");
        assert_eq!(Failed::of(&json!({ "status": {} })), None);
    }
}
