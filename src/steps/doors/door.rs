//! What is behind a port, and for whom it is meant to be open.

use std::fmt::Display;

use serde_json::Value;

/// A port that something of the cluster opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Door {
    /// What opens it.
    pub what: String,
    /// Who should get in.
    pub whom: For,
}

/// Who should get in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum For {
    /// Everybody.
    Visitors,
    /// Nodes, and the operator by way of ssh.
    Tunnel,
    /// Other nodes of the cluster.
    Nodes,
    /// Whoever does not come by the ingress, if anybody.
    NodePort,
    /// Whom the service is for.
    Balancer,
}

impl Door {
    /// A door.
    pub fn new(what: impl Into<String>, whom: For) -> Self {
        Self { what: what.into(), whom }
    }
}

impl For {
    /// What to do if everybody gets in; none: that is meant.
    pub const fn cure(self) -> Option<&'static str> {
        Some(match self {
            Self::Visitors => return None,
            Self::Tunnel => {
                "let nobody but the nodes in there, by [firewall], the provider's firewall or the router: `bedplate tunnel` needs no open port; \
                 if it is meant, say access = \"direct\" in [kubeconfig]"
            }
            Self::Nodes => "let nobody but the nodes in there, by [firewall], the provider's firewall or the router",
            Self::NodePort => "let nobody in there, by [firewall], the provider's firewall or the router: ufw on the host comes too late",
            Self::Balancer => {
                "ClusterIP is enough for what only pods need; else let in whom it is for, by the provider's firewall or the router: \
                 ufw on the host comes too late"
            }
        })
    }
}

/// The ports that a service opens on every node: by kube-proxy its NodePorts, by ServiceLB those of a LoadBalancer (contract §3.4).
pub fn of_service(service: &Value) -> Vec<(u16, Door)> {
    let (spec, metadata) = (&service["spec"], &service["metadata"]);
    let name = [&metadata["namespace"], &metadata["name"]].map(|part| part.as_str().unwrap_or_default()).join("/");
    let ports = spec["ports"].as_array().into_iter().flatten().filter(|port| port["protocol"].as_str().is_none_or(|which| which == "TCP"));
    let mut doors = Vec::new();
    for port in ports {
        let number = |key: &str| port[key].as_u64().and_then(|number| u16::try_from(number).ok());
        doors.extend(number("nodePort").map(|number| (number, Door::new(format!("NodePort of {name}"), For::NodePort))));
        let balanced = number("port").filter(|_| spec["type"] == "LoadBalancer");
        doors.extend(balanced.map(|number| (number, Door::new(format!("LoadBalancer {name}"), For::Balancer))));
    }
    doors
}

/// `1`, `1 and 2`, `1, 2 and 3`.
pub fn listed(items: impl IntoIterator<Item = impl Display>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    match items.split_last() {
        Some((last, before)) if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        _ => items.concat(),
    }
}
