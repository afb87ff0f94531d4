//! `[firewall]`: what it may not close.

use std::net::IpAddr;

use crate::inventory::firewall::door;
use crate::inventory::problem::Flaws;
use crate::inventory::tree::Spot;
use crate::inventory::{Access, Connection, Firewall, Host, Inventory, Tls};
use crate::model::API_PORT;

/// Where ssh listens unless the inventory says otherwise.
const SSH: u16 = 22;

pub(super) fn lint(inventory: &Inventory, root: Spot<'_>, flaws: &mut Flaws) {
    let Some(firewall) = &inventory.firewall else { return };
    let spot = root.key("firewall").key("open");
    for (text, spot) in firewall.open.iter().zip(spot.items()) {
        if door(text).is_none() {
            flaws.error(spot, format!("`{text}` is no port with its protocol"), "write one such as \"22/tcp\" or \"51820/udp\"");
        }
    }
    for (host, place) in inventory.hosts.iter().zip(root.key("hosts").items()) {
        way(firewall, host, spot, flaws);
        neighbour(inventory, host, place, flaws);
        if host.connection == Connection::Local {
            let message =
                format!("[firewall] waits for a new ssh connection before it keeps its rules, and `{}` is reached without ssh", host.name);
            flaws.error(place.key("connection"), message, "leave out [firewall], or reach the host by ssh");
        }
    }
    api(inventory, firewall, spot, flaws);
    sites(inventory, firewall, spot, flaws);
}

/// The way by which we come in. Where ssh dials another address than the host's own, the port may be another there, too: whether it is,
/// shows when the rules are tried.
fn way(firewall: &Firewall, host: &Host, spot: Spot<'_>, flaws: &mut Flaws) {
    let port = host.port.unwrap_or(SSH);
    let elsewhere = host.address.parse::<IpAddr>().is_ok_and(|dialled| host.public_ip.is_some_and(|own| own != dialled));
    if !firewall.tcp().contains(&port) && (port == SSH || !elsewhere) {
        let message = format!("`open` closes port {port}, by which ssh reaches `{}`", host.name);
        flaws.error(spot, message, format!("add \"{port}/tcp\""));
    }
}

/// Nodes let each other in by address.
fn neighbour(inventory: &Inventory, host: &Host, spot: Spot<'_>, flaws: &mut Flaws) {
    if inventory.hosts.len() > 1 && host.addresses().is_empty() {
        let message = format!("the other hosts' firewalls can't let `{}` in: no IP address of it is written down", host.name);
        flaws.error(spot.key("address"), message, "add `node_ip`: the address by which the other hosts see it");
    }
}

/// `access = "direct"` is a way in from outside.
fn api(inventory: &Inventory, firewall: &Firewall, spot: Spot<'_>, flaws: &mut Flaws) {
    if inventory.kubeconfig.access == Access::Direct && !firewall.tcp().contains(&API_PORT) {
        let message = format!("`open` closes port {API_PORT}, by which `access = \"direct\"` reaches the API server");
        flaws.error(spot, message, format!("add \"{API_PORT}/tcp\", or leave `access` out: `bedplate tunnel` needs no open port"));
    }
}

/// Visitors and the CA; they may come by a tunnel that somebody else made.
fn sites(inventory: &Inventory, firewall: &Firewall, spot: Spot<'_>, flaws: &mut Flaws) {
    let secure = inventory.sites.iter().any(|site| site.tls != Tls::Off);
    let ports = [(80, !inventory.sites.is_empty(), "visitors and the CA's challenge come in"), (443, secure, "visitors come in")];
    for (port, wanted, whom) in ports {
        if wanted && !firewall.tcp().contains(&port) {
            flaws.warning(spot, format!("`open` closes port {port}, by which {whom}"), format!("add \"{port}/tcp\""));
        }
    }
}
