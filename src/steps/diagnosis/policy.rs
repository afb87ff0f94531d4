//! NetworkPolicies: whether Traefik is let in to the solver (S3-76), and cert-manager out to check it.

use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::{Value, json};

use crate::model::Missing;

use super::super::{cert_manager, solver_policy};
use super::ask::{NAMESPACE, POD, POLICY, TRAEFIK};
use super::case::{Case, listed};
use super::cause::Cure;
use crate::steps::object::{bears, list, name, owned, place, text};

/// Where solvers listen (contract §3.5).
const PORT: i64 = 8089;

/// Which policy keeps Traefik from the solver; none: they let it in.
///
/// # Errors
/// Policies or pods can't be seen.
pub fn judge(case: &Case<'_>, challenge: &Value) -> Result<Option<(String, Cure)>, Missing> {
    let Some(solver) = owned(case.all(POD)?, &[challenge]).first().copied() else { return Ok(None) };
    let traefik =
        listed(&case.seen, &POD.all(TRAEFIK))?.iter().find(|pod| text(pod, "/metadata/labels/app.kubernetes.io~1name") == Some("traefik"));
    let home = case.seen.object(&NAMESPACE.named("", TRAEFIK))?;
    let peer = Peer {
        labels: traefik.map_or_else(|| json!({ "app.kubernetes.io/name": "traefik" }), |pod| pod["metadata"]["labels"].clone()),
        home: home.map_or_else(|| json!({ "kubernetes.io/metadata.name": TRAEFIK }), |home| home["metadata"]["labels"].clone()),
        address: traefik.and_then(|pod| text(pod, "/status/podIP")).and_then(|ip| ip.parse().ok()),
    };
    let policies = listed(&case.seen, &POLICY.all(""))?;
    let of_solver: Vec<&Value> = policies
        .iter()
        .filter(|policy| {
            stands_in(policy, case.namespace())
                && governs(policy, "Ingress")
                && selects(&policy["spec"]["podSelector"], &solver["metadata"]["labels"])
        })
        .collect();
    let lets_in = |policy: &&Value| list(policy, "/spec/ingress").any(|rule| of_peer(rule, &peer) && of_port(rule, solver));
    if of_solver.iter().any(lets_in) {
        return Ok(None);
    }
    Ok(of_solver.first().map(|deny| {
        let why = format!("{} lets nobody in to the solver's pod, and no other policy lets Traefik in to its port {PORT}", place(deny));
        (why, Cure::Tool(format!("applies networkpolicy {}/{}, which does", case.namespace(), solver_policy::NAME)))
    }))
}

/// Which policy keeps cert-manager in; none: there is no such policy.
///
/// # Errors
/// Policies can't be seen.
pub fn shut_in(case: &Case<'_>) -> Result<Option<(String, Cure)>, Missing> {
    let policies = listed(&case.seen, &POLICY.all(""))?;
    let shut = policies.iter().find(|policy| stands_in(policy, cert_manager::NAMESPACE) && governs(policy, "Egress"));
    Ok(shut.map(|policy| {
        let cure = "let it out to DNS (53, UDP and TCP), 80, 443 and 6443";
        (
            format!("{} limits where cert-manager's pods may go", place(policy)),
            Cure::User(format!("{cure}: kubectl -n {} describe networkpolicy {}", cert_manager::NAMESPACE, name(policy))),
        )
    }))
}

/// Who comes in.
struct Peer {
    labels: Value,
    /// The labels of its namespace.
    home: Value,
    address: Option<IpAddr>,
}

fn stands_in(policy: &Value, namespace: &str) -> bool {
    policy["metadata"]["namespace"] == namespace
}

/// Without `policyTypes`, ingress is governed, and egress where there are rules for it.
fn governs(policy: &Value, direction: &str) -> bool {
    match policy["spec"]["policyTypes"].as_array() {
        Some(types) => types.iter().any(|kind| kind == direction),
        None => direction == "Ingress" || policy["spec"]["egress"].is_array(),
    }
}

/// An empty selector selects all.
fn selects(selector: &Value, labels: &Value) -> bool {
    let meets = |expression: &Value| {
        let value = expression["key"].as_str().and_then(|key| labels.get(key));
        let among = || expression["values"].as_array().is_some_and(|values| value.is_some_and(|value| values.contains(value)));
        match expression["operator"].as_str() {
            Some("In") => among(),
            Some("NotIn") => !among(),
            Some("Exists") => value.is_some(),
            Some("DoesNotExist") => value.is_none(),
            _ => false,
        }
    };
    bears(labels, &selector["matchLabels"]) && list(selector, "/matchExpressions").all(meets)
}

/// No `from` lets everybody in. A pod selector alone speaks of the policy's own namespace, where Traefik is not.
fn of_peer(rule: &Value, peer: &Peer) -> bool {
    let mut from = list(rule, "/from").peekable();
    if from.peek().is_none() {
        return true;
    }
    from.any(|from| match (&from["ipBlock"], &from["namespaceSelector"]) {
        (Value::Object(_), _) => {
            let net = |text: &Value| text.as_str().and_then(|text| text.parse::<IpNet>().ok());
            let within = |text: &Value| net(text).zip(peer.address).is_some_and(|(net, address)| net.contains(&address));
            within(&from["ipBlock"]["cidr"]) && !list(from, "/ipBlock/except").any(within)
        }
        (_, Value::Null) => false,
        (_, home) => selects(home, &peer.home) && selects(&from["podSelector"], &peer.labels),
    })
}

/// No `ports` lets all in; a port may have a name, which the pod explains, or an end.
fn of_port(rule: &Value, solver: &Value) -> bool {
    let mut ports = list(rule, "/ports").peekable();
    if ports.peek().is_none() {
        return true;
    }
    let named = |wanted: &str| {
        let mut containers = list(solver, "/spec/containers").flat_map(|container| list(container, "/ports"));
        containers.any(|port| port["name"] == wanted && port["containerPort"] == PORT)
    };
    ports.filter(|port| port["protocol"].as_str().is_none_or(|protocol| protocol == "TCP")).any(|port| match &port["port"] {
        Value::Null => true,
        Value::String(name) => named(name),
        first => first.as_i64().is_some_and(|first| first <= PORT && PORT <= port["endPort"].as_i64().unwrap_or(first)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer() -> Peer {
        Peer {
            labels: json!({ "app.kubernetes.io/name": "traefik" }),
            home: json!({ "kubernetes.io/metadata.name": "kube-system" }),
            address: "10.42.0.7".parse().ok(),
        }
    }

    #[test]
    fn a_rule_lets_in_whom_it_names() {
        let home = json!({ "matchLabels": { "kubernetes.io/metadata.name": "kube-system" } });
        let cases = [
            (json!({}), true),
            (json!({ "from": [{ "podSelector": {} }] }), false),
            (json!({ "from": [{ "namespaceSelector": {} }] }), true),
            (json!({ "from": [{ "namespaceSelector": home }] }), true),
            (
                json!({ "from": [{ "namespaceSelector": home, "podSelector": { "matchLabels": { "app.kubernetes.io/name": "nginx" } } }] }),
                false,
            ),
            (json!({ "from": [{ "namespaceSelector": { "matchExpressions": [{ "key": "team", "operator": "DoesNotExist" }] } }] }), true),
            (json!({ "from": [{ "ipBlock": { "cidr": "10.42.0.0/16" } }] }), true),
            (json!({ "from": [{ "ipBlock": { "cidr": "10.42.0.0/16", "except": ["10.42.0.0/24"] } }] }), false),
        ];
        for (rule, expected) in cases {
            assert_eq!(of_peer(&rule, &peer()), expected, "{rule}");
        }
    }

    #[test]
    fn a_port_has_a_number_a_name_or_an_end() {
        let solver = json!({ "spec": { "containers": [{ "ports": [{ "name": "http", "containerPort": 8089 }] }] } });
        let cases = [
            (json!([]), true),
            (json!([{ "port": 8089 }]), true),
            (json!([{ "port": 8080 }]), false),
            (json!([{ "port": 8000, "endPort": 9000 }]), true),
            (json!([{ "port": "http" }]), true),
            (json!([{ "port": "https" }]), false),
            (json!([{ "port": 8089, "protocol": "UDP" }]), false),
            (json!([{ "protocol": "TCP" }]), true),
        ];
        for (ports, expected) in cases {
            assert_eq!(of_port(&json!({ "ports": ports }), &solver), expected, "{ports}");
        }
    }

    #[test]
    fn policies_without_types_govern_what_comes_in() {
        assert!(governs(&json!({ "spec": {} }), "Ingress") && !governs(&json!({ "spec": {} }), "Egress"));
        assert!(!governs(&json!({ "spec": { "policyTypes": ["Egress"] } }), "Ingress"));
    }
}
