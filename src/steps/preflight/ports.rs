//! Ports that k3s and its ingress need.

use super::findings::Findings;
use crate::inventory::{K3s, Role};
use crate::model::Listener;
use crate::steps::k3s::{api_port, disables};

/// How the names of k3s' own processes begin.
const OWN: [&str; 4] = ["k3s", "containerd", "kube", "traefik"];

/// Ports held by another process. The ingress' own ports are forwarded by rules and show no listener, so one that does is a stranger.
pub fn held(listeners: &[Listener], keys: &K3s, role: Role, findings: &mut Findings) {
    let ingress = !disables(keys, "traefik") && !disables(keys, "servicelb");
    // An agent serves no API.
    let api = (role == Role::Server).then(|| api_port(keys));
    let mut told = std::collections::BTreeSet::new();
    for listener in listeners.iter().filter(|listener| !OWN.iter().any(|own| listener.process.starts_with(own))) {
        // Forwarding rules don't touch loopback; the API server binds every address.
        let wanted = match listener.port {
            80 | 443 => ingress && !listener.address.is_loopback(),
            port => Some(u64::from(port)) == api,
        };
        if wanted && told.insert(listener.port) {
            let process = if listener.process.is_empty() { "an unknown process" } else { &listener.process };
            findings.fail(format!("port {} is held by {process}", listener.port), format!("stop {process}, or let it listen elsewhere"));
        }
    }
}
