//! Where cert-manager must get, for an order and for its own check of a challenge (contract §3.5).

use ipnet::IpNet;
use serde_json::json;

use crate::inventory::{Host, Inventory};
use crate::model::API_PORT;
use crate::steps::acme_site::ingress;
use crate::steps::issuers;
use crate::steps::k3s::api_port;
use crate::steps::traefik::HOME;
use crate::steps::traffic::{End, Pod, Port, home};

/// One of these places.
#[derive(Clone, Debug)]
pub struct Need {
    /// In words.
    pub what: String,
    /// Where.
    pub to: End,
    /// At which port.
    pub port: Port<'static>,
}

/// The API server, at the addresses that the inventory knows.
pub fn api(inventory: &Inventory) -> Need {
    let server = inventory.server().into_iter().flat_map(Host::addresses).map(IpNet::from).collect();
    need("the API server", "TCP", u16::try_from(api_port(&inventory.k3s)).unwrap_or(API_PORT), outside(server))
}

/// All others.
pub fn of(inventory: &Inventory, pods: &[IpNet]) -> Vec<Need> {
    let dns = Pod { namespace: HOME.into(), home: home(HOME), labels: json!({ "k8s-app": "kube-dns" }) };
    let dns = End { pod: Some(dns), nets: pods.to_vec() };
    let sites = ingress(inventory).map(IpNet::from).into_iter().collect();
    let mut cas: Vec<_> = issuers::servers(inventory).iter().filter_map(url::Url::port_or_known_default).collect();
    cas.sort_unstable();
    cas.dedup();
    let mut needs = vec![need("DNS", "UDP", 53, dns), need("the sites, which it checks first", "TCP", 80, outside(sites))];
    needs.extend(cas.into_iter().map(|port| need("the CA", "TCP", port, outside(Vec::new()))));
    needs
}

fn need(what: &str, protocol: &'static str, number: u16, to: End) -> Need {
    Need { what: format!("{what} ({protocol} {number})"), to, port: Port { protocol, number, name: None } }
}

fn outside(nets: Vec<IpNet>) -> End {
    End { pod: None, nets }
}
