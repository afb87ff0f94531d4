//! Why a certificate is not issued: Certificate -> CertificateRequest -> Order -> Challenge (contract §4.3), the deepest that speaks, with
//! the cause that its words stand for.

use serde_json::Value;

use crate::model::{ApiQuestion, Finding, Missing, ObjectRef, Question, View};

use super::super::acme_site::AcmeSite;
use super::super::solver_policy;

const CERT_MANAGER: &str = "cert-manager.io/v1";
const ACME: &str = "acme.cert-manager.io/v1";
const POLICIES: (&str, &str) = ("networking.k8s.io/v1", "NetworkPolicy");

fn all(kind: (&str, &str), namespace: &str) -> ObjectRef {
    ObjectRef::new(kind.0, kind.1, namespace, "")
}

fn kinds(namespace: &str) -> [ObjectRef; 4] {
    [(CERT_MANAGER, "CertificateRequest"), (ACME, "Order"), (ACME, "Challenge"), POLICIES].map(|kind| all(kind, namespace))
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
    let [requests, orders, challenges, policies] = kinds(site.carrier.namespace());
    let list = |of: &ObjectRef| Ok::<_, Missing>(seen.list(of, "")?.map(Vec::as_slice).unwrap_or_default());
    let requests = owned(list(&requests)?, &[certificate]);
    let orders = owned(list(&orders)?, &requests);
    let challenges = owned(list(&challenges)?, &orders);
    let policies = list(&policies)?;

    let held = challenges.iter().find_map(|challenge| {
        let reason = text(challenge, "/status/reason")?;
        Some(format!("{}: {reason}", text(challenge, "/spec/dnsName").unwrap_or_default()))
    });
    let refused = || newest(&orders).and_then(|order| text(order, "/status/reason"));
    let pending = || newest(&requests).and_then(|request| condition(request, "Ready"));
    let failed = failed(certificate);
    let said = held.or_else(|| failed.clone()).or_else(refused).or_else(pending).unwrap_or(unready);
    let again = format!("; then ask anew: kubectl -n {} delete certificate {}, and its Ingress makes it again", site.carrier.namespace(), site.certificate);
    let mut cure = cause(&said, policies, site.carrier.namespace());
    if failed.is_some() {
        cure.push_str(&again);
    }
    Ok(Finding::new(said, cure))
}

/// Those whose owner is one of `owners`.
fn owned<'a>(objects: &'a [Value], owners: &[&Value]) -> Vec<&'a Value> {
    let is_owner = |uid: &Value| owners.iter().any(|owner| !uid.is_null() && &owner["metadata"]["uid"] == uid);
    let owned = |object: &&Value| object["metadata"]["ownerReferences"].as_array().is_some_and(|refs| refs.iter().any(|owner| is_owner(&owner["uid"])));
    objects.iter().filter(owned).collect()
}

fn newest<'a>(objects: &[&'a Value]) -> Option<&'a Value> {
    objects.iter().copied().max_by_key(|object| text(object, "/metadata/creationTimestamp"))
}

fn text(object: &Value, pointer: &str) -> Option<String> {
    object.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn condition(object: &Value, kind: &str) -> Option<String> {
    let conditions = object.pointer("/status/conditions")?.as_array()?;
    text(conditions.iter().find(|condition| condition["type"] == kind)?, "/message")
}

/// A failed order is not tried again for an hour and more: said with how often it failed.
fn failed(certificate: &Value) -> Option<String> {
    let conditions = certificate.pointer("/status/conditions")?.as_array()?;
    let issuing = conditions.iter().find(|condition| condition["type"] == "Issuing" && condition["reason"] == "Failed")?;
    let generations = issuing["observedGeneration"].as_i64().zip(certificate["metadata"]["generation"].as_i64());
    let stale = generations.is_some_and(|(observed, now)| observed < now);
    let times = certificate["status"]["failedIssuanceAttempts"].as_i64().unwrap_or(1);
    (!stale).then(|| format!("failed {times} times: {}", issuing["message"].as_str().unwrap_or_default()))
}

/// The cure for what cert-manager or the CA says (contract §4.3, requirements F-01, F-13, F-14).
fn cause(said: &str, policies: &[Value], namespace: &str) -> String {
    let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
    if has(&["'502'", "'503'", "'504'"]) {
        return if shut(policies) {
            format!("a default-deny policy keeps Traefik from the solver: networkpolicy {namespace}/{} must stand", solver_policy::NAME)
        } else {
            format!("Traefik does not reach the solver's pod: kubectl -n {namespace} get pods -l acme.cert-manager.io/http01-solver=true")
        };
    }
    if has(&["rateLimited", "too many"]) {
        return "the CA's limit is reached: wait until the time that it names; deleting secrets only makes it worse".into();
    }
    if has(&["acme:error:caa", "CAA"]) {
        return "a CAA record forbids this CA: add 0 issue \"letsencrypt.org\"".into();
    }
    if has(&["no such host", "NXDOMAIN", "acme:error:dns", "server misbehaving"]) {
        return "the name does not resolve where it is asked: mend its DNS, and the cluster's".into();
    }
    if has(&["'404'", "'403'", "acme:error:unauthorized", "did not get expected response"]) {
        return "another server or Ingress answers for the name: its DNS must lead to this host alone, AAAA too".into();
    }
    if has(&["connection refused"]) {
        return "port 80 is refused: see whether Traefik runs, and what holds the port".into();
    }
    if has(&["timeout", "deadline exceeded", "acme:error:connection"]) {
        return "port 80 is not reached: open it in the provider's firewall; a host that can't reach its own public address stalls too".into();
    }
    format!("kubectl -n {namespace} describe certificate,certificaterequest,order,challenge")
}

/// Whether some policy denies ingress to every pod while none lets the solver's be reached.
fn shut(policies: &[Value]) -> bool {
    let of_all = |policy: &&Value| {
        let selector = policy["spec"]["podSelector"].as_object();
        selector.is_none_or(|selector| selector.values().all(|part| part.as_object().is_some_and(serde_json::Map::is_empty)))
            && policy["spec"]["ingress"].as_array().is_none_or(Vec::is_empty)
    };
    let for_solver =
        |policy: &Value| policy.pointer("/spec/podSelector/matchLabels").and_then(|labels| labels.get("acme.cert-manager.io/http01-solver")).is_some();
    policies.iter().any(|policy| of_all(&policy)) && !policies.iter().any(for_solver)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_words_of_cert_manager_and_the_ca_lead_to_a_cause() {
        let deny = json!({ "spec": { "podSelector": {}, "policyTypes": ["Ingress"] } });
        let rule = json!({ "spec": { "podSelector": { "matchLabels": { "acme.cert-manager.io/http01-solver": "true" } } } });
        let propagation = "Waiting for HTTP-01 challenge propagation: wrong status code '502', expected '200'";
        let cases: [(&str, &[Value], &str); 7] = [
            (propagation, std::slice::from_ref(&deny), "default-deny"),
            (propagation, &[deny.clone(), rule], "does not reach the solver's pod"),
            ("wrong status code '404', expected '200'", &[], "another server or Ingress"),
            ("dial tcp 203.0.113.10:80: connect: connection refused", &[], "port 80 is refused"),
            ("Failed to create Order: 429 urn:ietf:params:acme:error:rateLimited: too many", &[], "limit is reached"),
            ("dial tcp: lookup shop.example: no such host", &[], "does not resolve"),
            ("context deadline exceeded", &[], "port 80 is not reached"),
        ];
        for (said, policies, expected) in cases {
            let cure = cause(said, policies, "shop");
            assert!(cure.contains(expected), "{said}: {cure}");
        }
    }
}
