//! What `config.yaml` says on a host, by its role.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::{Value, json};

use super::files::node_name;
use crate::inventory::{Host, Inventory, K3s, Role, api_port, items};
use crate::model::AGENT_TOKEN;

/// Keys of `[k3s]` that k3s' agent knows too (k3s-docs:cli/agent, v1.35); at any other it exits (contract §2.1). Those that name one host,
/// such as `node-external-ip`, are the server's alone.
const AGENT_KEYS: [&str; 25] = [
    "alsologtostderr",
    "debug",
    "default-runtime",
    "disable-default-registry-endpoint",
    "enable-pprof",
    "flannel-cni-conf",
    "flannel-conf",
    "flannel-iface",
    "image-credential-provider-bin-dir",
    "image-credential-provider-config",
    "image-service-endpoint",
    "kube-proxy-arg",
    "kubelet-arg",
    "lb-server-port",
    "log",
    "nonroot-devices",
    "pause-image",
    "prefer-bundled-bin",
    "protect-kernel-defaults",
    "resolv-conf",
    "selinux",
    "snapshotter",
    "v",
    "vmodule",
    "vpn-auth-file",
];

/// Every key with its value.
pub fn keys<'a>(inventory: &'a Inventory, host: &Host) -> BTreeMap<&'a str, Value> {
    let mut keys = match host.role {
        Role::Server => server(inventory, host),
        Role::Agent => agent(inventory),
    };
    keys.insert("node-name", json!(node_name(host)));
    keys.extend(host.node_ip.map(|ip| ("node-ip", json!(ip))));
    let labels: Vec<_> = host.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let given = [("node-label", labels), ("node-taint", host.taints.clone())];
    keys.extend(given.into_iter().filter(|(_, texts)| !texts.is_empty()).map(|(key, texts)| (key, json!(texts))));
    keys
}

fn server<'a>(inventory: &'a Inventory, host: &Host) -> BTreeMap<&'a str, Value> {
    let mut keys: BTreeMap<&str, Value> = BTreeMap::from([("write-kubeconfig-mode", json!("0600"))]);
    keys.extend(inventory.k3s.0.iter().map(|(key, value)| (key.as_str(), value.clone())));
    if inventory.agents().next().is_none() {
        return keys;
    }
    keys.insert("agent-token-file", json!(AGENT_TOKEN));
    // k3s' certificate holds `node-ip` by itself; another address that agents dial must be named (k3s-docs:cli/server, `tls-san`).
    if let Some(ip) = host.dialled_ip().filter(|ip| host.node_ip != Some(*ip)).map(|ip| ip.to_string()) {
        let mut names = items(&inventory.k3s, "tls-san");
        if !names.contains(&ip.as_str()) {
            names.push(&ip);
            keys.insert("tls-san", json!(names));
        }
    }
    keys
}

fn agent(inventory: &Inventory) -> BTreeMap<&str, Value> {
    let known = inventory.k3s.0.iter().filter(|(key, _)| AGENT_KEYS.contains(&key.as_str()));
    let mut keys: BTreeMap<&str, Value> = known.map(|(key, value)| (key.as_str(), value.clone())).collect();
    keys.extend(inventory.server().and_then(Host::dialled_ip).map(|ip| ("server", json!(server_url(ip, &inventory.k3s)))));
    keys.insert("token-file", json!(AGENT_TOKEN));
    keys
}

fn server_url(ip: IpAddr, keys: &K3s) -> String {
    let host = match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    };
    format!("https://{host}:{}", api_port(keys))
}
