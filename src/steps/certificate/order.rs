//! What is said of a certificate that is not issued: Certificate -> CertificateRequest -> Order -> Challenge (contract §4.3), the deepest
//! that speaks. It is told while the certificate is waited for; why it hangs is the diagnosis' to say.

use serde_json::Value;

use crate::model::{ApiQuestion, Finding, Missing, ObjectRef, Question, View};

use super::super::acme_site::AcmeSite;
use crate::steps::object::{condition, is_stale, newest, owned, text};

const CERT_MANAGER: &str = "cert-manager.io/v1";
const ACME: &str = "acme.cert-manager.io/v1";

fn all(kind: (&str, &str), namespace: &str) -> ObjectRef {
    ObjectRef::new(kind.0, kind.1, namespace, "")
}

/// All orders of a namespace.
pub fn orders(namespace: &str) -> ObjectRef {
    all((ACME, "Order"), namespace)
}

fn kinds(namespace: &str) -> [ObjectRef; 3] {
    [(CERT_MANAGER, "CertificateRequest"), (ACME, "Order"), (ACME, "Challenge")].map(|kind| all(kind, namespace))
}

/// What must be known of a certificate's namespace.
pub fn questions(namespace: &str) -> impl Iterator<Item = Question> {
    kinds(namespace).into_iter().map(|of| Question::Api(ApiQuestion::List { of, selector: String::new() }))
}

/// What holds the certificate. `unready` is what its own condition says.
///
/// # Errors
/// One of the lists can't be seen.
pub fn explain(seen: &View<'_>, site: &AcmeSite, certificate: &Value, unready: String) -> Result<Finding, Missing> {
    let [requests, orders, challenges] = kinds(site.carrier.namespace());
    let list = |of: &ObjectRef| Ok::<_, Missing>(seen.list(of, "")?.map(Vec::as_slice).unwrap_or_default());
    let requests = owned(list(&requests)?, &[certificate]);
    let orders = owned(list(&orders)?, &requests);
    let challenges = owned(list(&challenges)?, &orders);

    let held = challenges.iter().find_map(|challenge| {
        let reason = text(challenge, "/status/reason")?;
        Some(format!("{}: {reason}", text(challenge, "/spec/dnsName").unwrap_or_default()))
    });
    let refused = || text(newest(&orders)?, "/status/reason").map(str::to_owned);
    let pending = || text(condition(newest(&requests)?, "Ready")?, "/message").map(str::to_owned);
    let said = held.or_else(|| failed(certificate)).or_else(refused).or_else(pending).unwrap_or(unready);
    Ok(Finding::new(said, "`bedplate diagnose` says why, and what to do"))
}

/// A failed order is not tried again for an hour and more: said with how often it failed.
fn failed(certificate: &Value) -> Option<String> {
    let issuing = condition(certificate, "Issuing").filter(|issuing| issuing["reason"] == "Failed" && !is_stale(issuing, certificate))?;
    let times = certificate["status"]["failedIssuanceAttempts"].as_i64().unwrap_or(1);
    Some(format!("failed {times} times: {}", issuing["message"].as_str().unwrap_or_default()))
}
