//! What the API server answers when cert-manager wants to put up a solver: quotas, policies, webhooks.

use super::authority::ask_the_log;
use super::cause::Cure;

/// Why it refuses, and the cure.
pub fn refused(said: &str, namespace: &str) -> (String, Cure) {
    if let Some(quota) = between(said, "exceeded quota: ", ",") {
        let cure = format!("raise it, or delete what is not needed: kubectl -n {namespace} describe resourcequota {quota}");
        return (format!("resourcequota {namespace}/{quota} leaves no room for the solver's pod"), Cure::User(cure));
    }
    if let Some(level) = between(said, "violates PodSecurity \"", "\"") {
        let why = format!("namespace {namespace} enforces the pod security level {level}, and the solver's pod is not of that kind");
        return (why, Cure::User("take the podTemplate out of the issuer's solver, or give the namespace the level baseline".into()));
    }
    // A webhook's own denial names no failure to call it.
    if let Some(webhook) = between(said, "failed calling webhook \"", "\"") {
        return unanswered(said, webhook);
    }
    if let Some(webhook) = between(said, "admission webhook \"", "\" denied") {
        let cure = "let that policy except pods, services and ingresses with the label acme.cert-manager.io/http01-solver=true";
        return (format!("the policy behind admission webhook {webhook} forbids the solver"), Cure::User(cure.into()));
    }
    if let Some(policy) = between(said, "ValidatingAdmissionPolicy '", "'") {
        let cure = "let it except what bears the label acme.cert-manager.io/http01-solver=true";
        return (format!("validatingadmissionpolicy {policy} forbids the solver"), Cure::User(cure.into()));
    }
    if said.contains(" usage per ") {
        let cure = format!("let it allow 10m and 64Mi, 100m at most: kubectl -n {namespace} describe limitrange");
        return (format!("a limitrange of {namespace} does not fit the solver's pod"), Cure::User(cure));
    }
    if said.contains("is being terminated") {
        return (
            format!("namespace {namespace} is being deleted"),
            Cure::User(format!("see what holds it: kubectl get namespace {namespace} -o yaml")),
        );
    }
    // One try may follow another before its cache knows the pod of the first (its pkg/issuer/acme/http/pod.go).
    if said.contains("multiple existing challenge solver pods") {
        return ("cert-manager made the solver's pod twice and took both away".into(), Cure::User("it only lacks another try".into()));
    }
    if said.contains("is forbidden: User ") {
        return ("cert-manager lacks its rights".into(), Cure::Tool("puts cert-manager's release right".into()));
    }
    (String::new(), ask_the_log())
}

/// A webhook that must be asked, and is not there.
fn unanswered(said: &str, webhook: &str) -> (String, Cure) {
    let service = between(said, "service \"", "\"");
    let why = match service {
        Some(service) => format!("the API server must ask admission webhook {webhook}, and nothing runs behind its service {service}"),
        None => format!("the API server must ask admission webhook {webhook}, and it does not answer"),
    };
    let cure = "bring it up again, or delete its configuration if it was left behind: kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations";
    (why, Cure::User(cure.into()))
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    text.split_once(before)?.1.split_once(after).map(|(found, _)| found)
}
