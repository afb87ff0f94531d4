//! `[firewall]` -> a table for nftables.

use std::collections::BTreeSet;
use std::fmt::Display;

use ipnet::IpNet;
use serde_json::json;

use crate::inventory::{Firewall, Host, Inventory};
use crate::model::Finding;
use crate::steps::k3s::{NETWORKS, networks};
use crate::template::render;

/// What `nft -f` takes for this host: it replaces our table by another at once, and touches no other.
///
/// # Errors
/// The template is broken: a bug of bedplate.
pub fn text(inventory: &Inventory, host: &Host, firewall: &Firewall) -> Result<String, Finding> {
    let pods: Vec<IpNet> = NETWORKS.iter().flat_map(|network| networks(&inventory.k3s, *network)).collect();
    let others = inventory.hosts.iter().filter(|other| other.name != host.name);
    let nodes: BTreeSet<_> = others.flat_map(Host::addresses).collect();
    let family = |name: &str, four: bool| {
        let pods = listed(pods.iter().filter(|network| matches!(network, IpNet::V4(_)) == four));
        json!({ "name": name, "pods": pods, "nodes": listed(nodes.iter().filter(|ip| ip.is_ipv4() == four)) })
    };
    let families = [family("ip", true), family("ip6", false)];
    render(
        "firewall.nft",
        &json!({ "families": families, "tcp": listed(firewall.tcp().into_iter()), "udp": listed(firewall.udp().into_iter()) }),
    )
}

/// The elements of a set.
fn listed(items: impl Iterator<Item = impl Display>) -> String {
    items.map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}
