//! `[[hosts]]` as nodes of one cluster: addresses, labels, taints.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::inventory::problem::Flaws;
use crate::inventory::tree::Spot;
use crate::inventory::{Host, Inventory, Role, grammar};

/// What a taint may do to pods (kubernetes.io: Taints and Tolerations).
const EFFECTS: [&str; 3] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

pub(super) fn lint(inventory: &Inventory, root: Spot<'_>, flaws: &mut Flaws) {
    let mut taken = BTreeMap::new();
    for (host, spot) in inventory.hosts.iter().zip(root.key("hosts").items()) {
        if let Some(ip) = host.node_ip {
            node_ip(ip, spot.key("node_ip"), flaws);
            if let Some(first) = taken.insert(ip, &host.name) {
                let message = format!("`{}` has the `node_ip` of `{first}`", host.name);
                flaws.error(spot.key("node_ip"), message, "each node needs an address of its own");
            }
        }
        reachable(inventory, host, spot, flaws);
        for (key, value) in &host.labels {
            label(key, value, spot.key("labels"), flaws);
        }
        for (text, spot) in host.taints.iter().zip(spot.key("taints").items()) {
            taint(text, spot, flaws);
        }
    }
}

fn node_ip(ip: IpAddr, spot: Spot<'_>, flaws: &mut Flaws) {
    if ip.is_loopback() || ip.is_unspecified() || ip.is_multicast() {
        flaws.error(spot, format!("`node_ip` {ip} leads to no host from elsewhere"), "write an address of the host's own interface");
    }
}

/// Agents dial the server by an address: an alias of `~/.ssh/config` means nothing to them.
fn reachable(inventory: &Inventory, host: &Host, spot: Spot<'_>, flaws: &mut Flaws) {
    // What ssh can't dial either is told as such.
    let named = !host.address.contains(['@', '/']);
    if named && host.role == Role::Server && host.dialled_ip().is_none() && inventory.agents().next().is_some() {
        let message = format!("agents can't find `{}`: its `address` is no IP address that they could dial", host.name);
        flaws.error(spot.key("address"), message, "add `node_ip`: an address of it that the agents reach");
    }
}

fn label(key: &str, value: &str, spot: Spot<'_>, flaws: &mut Flaws) {
    let at = if spot.key(key).exists() { spot.name(key) } else { spot };
    if let Err(why) = grammar::qualified(key) {
        flaws.error(at, format!("label `{key}` {why}"), "write one such as `disk = \"ssd\"`");
    } else if !kubelet_may_set(key) {
        let cure = "take another prefix, e.g. \"example.com/role\"; kubelet would not start with this one";
        flaws.error(at, format!("label `{key}` is Kubernetes' own"), cure);
    }
    if let Err(why) = grammar::value(value) {
        flaws.error(spot.key(key), format!("the value of label `{key}` {why}"), "write one such as \"ssd\"");
    }
}

/// kubelet refuses `--node-labels` below Kubernetes' own domains but for these (kubernetes.io: kubelet, `--node-labels`).
fn kubelet_may_set(key: &str) -> bool {
    let Some((domain, _)) = key.split_once('/') else { return true };
    let below = |parent: &str| domain == parent || domain.ends_with(&format!(".{parent}"));
    let own = below("kubernetes.io") || below("k8s.io");
    !own || below("node.kubernetes.io") || below("kubelet.kubernetes.io") || key.starts_with("topology.kubernetes.io/")
}

fn taint(text: &str, spot: Spot<'_>, flaws: &mut Flaws) {
    let refused = match text.rsplit_once(':') {
        None => Some("has no effect after a colon".to_owned()),
        Some((_, effect)) if !EFFECTS.contains(&effect) => Some(format!("has the effect `{effect}`: {}", EFFECTS.join(", "))),
        Some((rest, _)) => {
            let (key, value) = rest.split_once('=').unwrap_or((rest, ""));
            let key = grammar::qualified(key).map_err(|why| format!("has a key that {why}"));
            key.and_then(|()| grammar::value(value).map_err(|why| format!("has a value that {why}"))).err()
        }
    };
    if let Some(why) = refused {
        flaws.error(spot, format!("taint `{text}` {why}"), "write one such as \"dedicated=db:NoSchedule\"");
    }
}
