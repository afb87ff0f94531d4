//! What NetworkPolicies let through, by the API's own rules (kubernetes.io: Network Policies). Pure: it judges objects that others read.

use ipnet::IpNet;
use serde_json::{Value, json};

use super::object::{bears, list, text};

/// One end of a connection.
#[derive(Clone, Debug)]
pub struct End {
    /// What selectors see; none: it is outside the cluster, or in its node's own network, which they do not see.
    pub pod: Option<Pod>,
    /// Where it is, as narrowly as that is known; empty: somewhere in the internet.
    pub nets: Vec<IpNet>,
}

/// A pod as selectors see it.
#[derive(Clone, Debug)]
pub struct Pod {
    /// Where it lies.
    pub namespace: String,
    /// The labels of that namespace.
    pub home: Value,
    /// Its own.
    pub labels: Value,
}

/// Where a connection goes.
#[derive(Clone, Copy, Debug)]
pub struct Port<'a> {
    /// `TCP` or `UDP`.
    pub protocol: &'a str,
    /// Its number.
    pub number: u16,
    /// What the pod that listens calls it.
    pub name: Option<&'a str>,
}

/// Which side of it a policy governs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// What comes in to the pods that it selects.
    Ingress,
    /// What goes out from them.
    Egress,
}

impl End {
    /// A live pod. `home`: the labels of its namespace.
    pub fn of(pod: &Value, home: &Value) -> Self {
        let addresses = list(pod, "/status/podIPs").filter_map(|one| text(one, "/ip")).chain(text(pod, "/status/podIP"));
        let nets = addresses.filter_map(|ip| Some(IpNet::from(ip.parse::<std::net::IpAddr>().ok()?))).collect();
        let own = pod["spec"]["hostNetwork"] != true;
        let namespace = text(pod, "/metadata/namespace").unwrap_or_default().to_owned();
        let seen = || Pod { namespace, home: home.clone(), labels: pod["metadata"]["labels"].clone() };
        Self { pod: own.then(seen), nets }
    }
}

impl Port<'_> {
    /// Whether a rule is for it. Without `ports` it is for all; without a port for all of its protocol.
    fn is_of(&self, rule: &Value) -> bool {
        let mut ports = list(rule, "/ports").peekable();
        ports.peek().is_none() || ports.any(|port| self.protocol == port["protocol"].as_str().unwrap_or("TCP") && self.is_in(port))
    }

    fn is_in(&self, port: &Value) -> bool {
        match &port["port"] {
            Value::Null => true,
            Value::String(name) => self.name == Some(name.as_str()),
            first => first.as_u64().is_some_and(|first| {
                let last = port["endPort"].as_u64().unwrap_or(first);
                (first..=last).contains(&u64::from(self.number))
            }),
        }
    }
}

impl Side {
    fn name(self) -> &'static str {
        match self {
            Self::Ingress => "Ingress",
            Self::Egress => "Egress",
        }
    }

    /// Where a policy holds its rules, and a rule its peers.
    fn places(self) -> (&'static str, &'static str) {
        match self {
            Self::Ingress => ("/spec/ingress", "/from"),
            Self::Egress => ("/spec/egress", "/to"),
        }
    }

    /// Without `policyTypes` what comes in is governed, and what goes out where there is a rule for it.
    fn governs(self, policy: &Value) -> bool {
        match policy["spec"]["policyTypes"].as_array() {
            Some(types) => types.iter().any(|kind| kind == self.name()),
            None => self == Self::Ingress || list(policy, "/spec/egress").next().is_some(),
        }
    }
}

/// The policies that, on `own`'s side, keep a connection with `other` to `port` from passing; none: it passes. Policies only add up: what
/// one of them lets through passes. They are no matter of a pod in its node's network.
pub fn barred<'p>(policies: &'p [Value], side: Side, own: &End, other: &End, port: Port<'_>) -> Vec<&'p Value> {
    let Some(pod) = &own.pod else { return Vec::new() };
    let governs = |policy: &&Value| {
        policy["metadata"]["namespace"] == pod.namespace.as_str()
            && side.governs(policy)
            && selects(&policy["spec"]["podSelector"], &pod.labels)
    };
    let (rules, peers) = side.places();
    let lets_through = |policy: &&Value| list(policy, rules).any(|rule| is_of(rule, peers, other, &pod.namespace) && port.is_of(rule));
    let governing: Vec<&Value> = policies.iter().filter(governs).collect();
    if governing.iter().any(lets_through) { Vec::new() } else { governing }
}

/// Whether a rule is for whoever is at the other end. Without peers it is for everybody.
fn is_of(rule: &Value, peers: &str, other: &End, namespace: &str) -> bool {
    let mut peers = list(rule, peers).peekable();
    peers.peek().is_none() || peers.any(|peer| is_peer(peer, other, namespace))
}

/// A pod selector alone speaks of the policy's own namespace.
fn is_peer(peer: &Value, other: &End, namespace: &str) -> bool {
    if peer["ipBlock"].is_object() {
        return is_within(&peer["ipBlock"], &other.nets);
    }
    other.pod.as_ref().is_some_and(|pod| {
        let home = match &peer["namespaceSelector"] {
            Value::Null => pod.namespace == namespace,
            selector => selects(selector, &pod.home),
        };
        home && selects(&peer["podSelector"], &pod.labels)
    })
}

/// Whether a block holds one of the nets as a whole. Of the internet nobody knows which part is meant, so only all of it will do.
fn is_within(block: &Value, nets: &[IpNet]) -> bool {
    let net = |text: &Value| text.as_str().and_then(|text| text.parse::<IpNet>().ok());
    let Some(whole) = net(&block["cidr"]) else { return false };
    if nets.is_empty() {
        return whole.prefix_len() == 0;
    }
    let overlaps = |one: &IpNet, other: &IpNet| one.contains(other) || other.contains(one);
    nets.iter().any(|one| whole.contains(one) && !list(block, "/except").filter_map(net).any(|hole| overlaps(&hole, one)))
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

/// The label that the API server gives to every namespace: what is known of one that is not there yet.
pub fn home(namespace: &str) -> Value {
    json!({ "kubernetes.io/metadata.name": namespace })
}

#[cfg(test)]
mod tests;
