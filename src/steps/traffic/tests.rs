use super::*;

const SOLVER: Port<'_> = Port { protocol: "TCP", number: 8089, name: Some("http") };

fn nets(texts: &[&str]) -> Vec<IpNet> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn pod(namespace: &str, name: &str, net: &str) -> End {
    let labels = json!({ "app.kubernetes.io/name": name, "tier": "front" });
    End { pod: Some(Pod { namespace: namespace.into(), home: home(namespace), labels }), nets: nets(&[net]) }
}

/// Whether a policy over all of `shop` with this one rule lets Traefik in to a solver there.
fn lets_in(rule: &Value) -> bool {
    let policy =
        json!([{ "metadata": { "namespace": "shop" }, "spec": { "podSelector": {}, "policyTypes": ["Ingress"], "ingress": [rule] } }]);
    passes(&policy, Side::Ingress, &pod("shop", "solver", "10.42.0.9/32"), &pod("kube-system", "traefik", "10.42.0.7/32"))
}

fn passes(policies: &Value, side: Side, own: &End, other: &End) -> bool {
    barred(policies.as_array().unwrap(), side, own, other, SOLVER).is_empty()
}

#[test]
fn a_rule_is_for_whom_it_names() {
    let home = json!({ "matchLabels": { "kubernetes.io/metadata.name": "kube-system" } });
    let named = |name: &str| json!({ "matchLabels": { "app.kubernetes.io/name": name } });
    let asks =
        |key: &str, operator: &str, values: Value| json!({ "matchExpressions": [{ "key": key, "operator": operator, "values": values }] });
    let all = json!({});
    let cases = [
        (json!({}), true),
        (json!({ "from": [] }), true),
        (json!({ "from": [{ "podSelector": {} }] }), false),
        (json!({ "from": [{ "namespaceSelector": {} }] }), true),
        (json!({ "from": [{ "namespaceSelector": home }] }), true),
        (json!({ "from": [{ "namespaceSelector": home, "podSelector": named("traefik") }] }), true),
        (json!({ "from": [{ "namespaceSelector": home, "podSelector": named("nginx") }] }), false),
        (json!({ "from": [{ "podSelector": named("traefik") }, { "namespaceSelector": home }] }), true),
        (json!({ "from": [{ "namespaceSelector": asks("team", "DoesNotExist", Value::Null) }] }), true),
        (json!({ "from": [{ "namespaceSelector": asks("team", "Exists", Value::Null) }] }), false),
        (json!({ "from": [{ "namespaceSelector": all, "podSelector": asks("tier", "In", json!(["back", "front"])) }] }), true),
        (json!({ "from": [{ "namespaceSelector": all, "podSelector": asks("tier", "In", json!(["back"])) }] }), false),
        (json!({ "from": [{ "namespaceSelector": all, "podSelector": asks("tier", "NotIn", json!(["front"])) }] }), false),
        (json!({ "from": [{ "namespaceSelector": all, "podSelector": asks("zone", "NotIn", json!(["front"])) }] }), true),
        (json!({ "from": [{ "namespaceSelector": all, "podSelector": asks("tier", "Like", json!(["front"])) }] }), false),
        (json!({ "from": [{ "ipBlock": { "cidr": "10.42.0.0/16" } }] }), true),
        (json!({ "from": [{ "ipBlock": { "cidr": "10.42.0.0/16", "except": ["10.42.0.0/24"] } }] }), false),
        (json!({ "from": [{ "ipBlock": { "cidr": "10.42.0.0/16", "except": ["10.42.1.0/24"] } }] }), true),
        (json!({ "from": [{ "ipBlock": { "cidr": "fd42::/56" } }] }), false),
    ];
    for (rule, expected) in cases {
        assert_eq!(lets_in(&rule), expected, "{rule}");
    }
}

#[test]
fn a_port_has_a_number_a_name_or_an_end() {
    let cases = [
        (json!([]), true),
        (json!([{ "port": 8089 }]), true),
        (json!([{ "port": 8080 }]), false),
        (json!([{ "port": 8080 }, { "port": 8089 }]), true),
        (json!([{ "port": 8000, "endPort": 9000 }]), true),
        (json!([{ "port": 8000, "endPort": 8088 }]), false),
        (json!([{ "port": "http" }]), true),
        (json!([{ "port": "https" }]), false),
        (json!([{ "port": 8089, "protocol": "UDP" }]), false),
        (json!([{ "protocol": "TCP" }]), true),
        (json!([{ "protocol": "UDP" }]), false),
    ];
    for (ports, expected) in cases {
        assert_eq!(lets_in(&json!({ "ports": ports })), expected, "{ports}");
    }
}

#[test]
fn peers_and_ports_of_two_rules_are_not_mixed() {
    let home = json!([{ "namespaceSelector": { "matchLabels": { "kubernetes.io/metadata.name": "kube-system" } } }]);
    let rules = json!([{ "from": home, "ports": [{ "port": 80 }] }, { "from": [{ "podSelector": {} }], "ports": [{ "port": 8089 }] }]);
    let policy = json!([{ "metadata": { "namespace": "shop" }, "spec": { "podSelector": {}, "ingress": rules } }]);
    assert!(!passes(&policy, Side::Ingress, &pod("shop", "solver", "10.42.0.9/32"), &pod("kube-system", "traefik", "10.42.0.7/32")));
}

#[test]
fn only_what_governs_the_pod_on_that_side_can_bar_it() {
    let (solver, traefik) = (pod("shop", "solver", "10.42.0.0/16"), pod("kube-system", "traefik", "10.42.0.7/32"));
    let of = |namespace: &str, spec: Value| json!([{ "metadata": { "namespace": namespace }, "spec": spec }]);
    let web = json!({ "matchLabels": { "app.kubernetes.io/name": "web" } });
    let cases = [
        (Side::Ingress, of("shop", json!({})), false),
        (Side::Ingress, of("other", json!({})), true),
        (Side::Ingress, of("shop", json!({ "podSelector": web })), true),
        (Side::Ingress, of("shop", json!({ "policyTypes": ["Egress"] })), true),
        (Side::Egress, of("kube-system", json!({})), true),
        (Side::Egress, of("kube-system", json!({ "egress": [] })), true),
        (Side::Egress, of("kube-system", json!({ "egress": [{ "ports": [{ "port": 53, "protocol": "UDP" }] }] })), false),
        (Side::Egress, of("kube-system", json!({ "policyTypes": ["Egress"] })), false),
        (Side::Egress, of("kube-system", json!({ "policyTypes": ["Egress"], "egress": [{ "to": [{ "namespaceSelector": {} }] }] })), true),
        (Side::Egress, of("kube-system", json!({ "egress": [{ "to": [{ "podSelector": {} }] }] })), false),
        (Side::Egress, of("kube-system", json!({ "egress": [{ "to": [{ "ipBlock": { "cidr": "10.0.0.0/8" } }] }] })), true),
        (Side::Egress, of("kube-system", json!({ "egress": [{ "to": [{ "ipBlock": { "cidr": "10.42.7.0/24" } }] }] })), false),
    ];
    for (side, policies, expected) in cases {
        let (own, other) = if side == Side::Ingress { (&solver, &traefik) } else { (&traefik, &solver) };
        assert_eq!(passes(&policies, side, own, other), expected, "{side:?} {policies}");
    }
}

#[test]
fn one_policy_that_lets_through_is_enough_and_all_that_do_not_are_named() {
    let (solver, traefik) = (pod("shop", "solver", "10.42.0.9/32"), pod("kube-system", "traefik", "10.42.0.7/32"));
    let policy = |name: &str, ingress: Value| json!({ "metadata": { "namespace": "shop", "name": name }, "spec": { "ingress": ingress } });
    let mut policies = vec![policy("deny", json!([])), policy("web", json!([{ "ports": [{ "port": 80 }] }]))];
    assert_eq!(barred(&policies, Side::Ingress, &solver, &traefik, SOLVER).len(), 2);
    policies.push(policy("solver", json!([{ "ports": [{ "port": 8089 }] }])));
    assert!(barred(&policies, Side::Ingress, &solver, &traefik, SOLVER).is_empty());
}

/// Selectors do not see a pod in its node's network; its policies do not hold either.
#[test]
fn a_pod_in_its_nodes_network_is_an_address() {
    let live = json!({ "metadata": { "namespace": "kube-system", "labels": { "app.kubernetes.io/name": "traefik" } },
        "spec": { "hostNetwork": true }, "status": { "podIP": "203.0.113.10", "podIPs": [{ "ip": "203.0.113.10" }, { "ip": "2001:db8::10" }] } });
    let (solver, traefik) = (pod("shop", "solver", "10.42.0.9/32"), End::of(&live, &home("kube-system")));
    let from = |from: Value| json!([{ "metadata": { "namespace": "shop" }, "spec": { "ingress": [{ "from": [from] }] } }]);
    assert!(!passes(&from(json!({ "namespaceSelector": {} })), Side::Ingress, &solver, &traefik));
    assert!(passes(&from(json!({ "ipBlock": { "cidr": "2001:db8::/64" } })), Side::Ingress, &solver, &traefik));
    let shut = json!([{ "metadata": { "namespace": "kube-system" }, "spec": { "policyTypes": ["Egress"] } }]);
    assert!(passes(&shut, Side::Egress, &traefik, &solver));
}

#[test]
fn the_internet_is_all_of_it() {
    let (own, ca) = (pod("cert-manager", "cert-manager", "10.42.0.3/32"), End { pod: None, nets: Vec::new() });
    let to =
        |block: Value| json!([{ "metadata": { "namespace": "cert-manager" }, "spec": { "egress": [{ "to": [{ "ipBlock": block }] }] } }]);
    assert!(passes(&to(json!({ "cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"] })), Side::Egress, &own, &ca));
    assert!(!passes(&to(json!({ "cidr": "203.0.113.0/24" })), Side::Egress, &own, &ca));
}
