//! Routes, networks, sshd's forwarding, the firewall.

use super::findings::Findings;
use super::former::Former;
use crate::inventory::K3s;
use crate::model::HostFacts;
use crate::steps::k3s::{NETWORKS, networks};

/// k3s takes its own address from the default route.
pub fn default_route(facts: &HostFacts, findings: &mut Findings) {
    if facts.default_route.is_none() {
        findings.fail("the host has no default route, so k3s can't choose its address", "add one; without an uplink a dummy one will do");
    }
}

/// Pods and services must not shadow a network that the host already reaches.
pub fn overlaps(facts: &HostFacts, keys: &K3s, former: Former, findings: &mut Findings) {
    for network in NETWORKS {
        for (ours, route) in networks(keys, network).iter().flat_map(|ours| facts.routes.iter().map(move |route| (ours, route))) {
            // A k3s that runs has made routes within its own network.
            let own = matches!(former, Former::Ours | Former::Foreign) && ours.contains(route);
            if !own && (ours.contains(route) || route.contains(ours)) {
                let what = format!("the host routes {route}, which overlaps {} {ours}", network.0);
                findings.fail(what, format!("set `{}` in [k3s] to a network that is free", network.0));
            }
        }
    }
}

/// The API is reached through sshd.
pub fn forwarding(facts: &HostFacts, findings: &mut Findings) {
    if facts.forwarding == Some(false) {
        findings.fail(
            "sshd forbids forwarding, through which the API is reached",
            "set `AllowTcpForwarding local` in sshd_config and reload sshd",
        );
    }
}

/// Never switched on or off by bedplate.
pub fn firewall(facts: &HostFacts, keys: &K3s, findings: &mut Findings) {
    let networks: Vec<_> = NETWORKS.iter().flat_map(|network| networks(keys, *network)).collect();
    if facts.ufw {
        let rules = networks.iter().map(|network| format!("`ufw allow from {network} to any`"));
        let rules: Vec<_> = rules.chain(["`ufw allow 80/tcp`".to_owned(), "`ufw allow 443/tcp`".to_owned()]).collect();
        findings.warn("ufw is active and may cut pods off", rules.join(", "));
    }
    if facts.firewalld {
        let command = "firewall-cmd --permanent";
        let rules = networks.iter().map(|network| format!("`{command} --zone=trusted --add-source={network}`"));
        let ports = [80, 443].map(|port| format!("`{command} --add-port={port}/tcp`"));
        let rules: Vec<_> = rules.chain(ports).chain(["`firewall-cmd --reload`".to_owned()]).collect();
        findings.warn("firewalld is running and may cut pods off", rules.join(", "));
    }
}
