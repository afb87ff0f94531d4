//! `[[hosts]]`: names, addresses, roles, host keys.

use std::collections::BTreeMap;

use crate::inventory::problem::Flaws;
use crate::inventory::tree::Spot;
use crate::inventory::{Connection, Host, Inventory, Role, grammar};

pub(super) fn lint(inventory: &Inventory, root: Spot<'_>, flaws: &mut Flaws) {
    let hosts = root.key("hosts");
    if inventory.hosts.is_empty() {
        flaws.error(hosts, "no host is named", "add a `[[hosts]]` table with `name` and `address`");
        return;
    }
    for (host, spot) in inventory.hosts.iter().zip(hosts.items()) {
        name(host, spot, flaws);
        address(host, spot, flaws);
        local(host, spot, flaws);
        if let Some(key) = &host.host_key
            && let Err(why) = grammar::host_key(key)
        {
            let cure = "paste the first two words of the host's own /etc/ssh/ssh_host_ed25519_key.pub";
            flaws.error(spot.key("host_key"), format!("`host_key` {why}"), cure);
        }
        if let Some(user) = &host.user
            && (user.is_empty() || user.starts_with('-') || user.contains(|c: char| c.is_whitespace() || c == '@' || c == ':'))
        {
            flaws.error(spot.key("user"), "`user` is no name of a user", "write the login name alone, e.g. \"root\"");
        }
        if host.port == Some(0) {
            flaws.error(spot.key("port"), "`port` can't be 0", "write ssh's TCP port, or leave `port` out");
        }
    }
    duplicates(inventory, hosts, flaws);
    servers(inventory, hosts, flaws);
}

fn name(host: &Host, spot: Spot<'_>, flaws: &mut Flaws) {
    let spot = spot.key("name");
    if let Err(why) = grammar::subdomain(&host.name) {
        flaws.error(spot, format!("host name `{}` {why}", host.name), "it becomes the node's name; write one such as \"droplet\"");
    } else if host.name == "localhost" {
        flaws.error(spot, "a host can't be named `localhost`: k3s refuses it as a node's name", "write another name, e.g. \"droplet\"");
    }
}

fn address(host: &Host, spot: Spot<'_>, flaws: &mut Flaws) {
    let spot = spot.key("address");
    let address = host.address.as_str();
    if address.is_empty() || address.starts_with('-') || address.contains(|c: char| c.is_whitespace() || c.is_control()) {
        flaws.error(spot, "`address` is nothing that ssh could dial", "write an IP address, a name, or an alias of ~/.ssh/config");
    } else if let Some((user, rest)) = address.split_once('@') {
        flaws.error(spot, "`address` has a user in it", format!("write `user = \"{user}\"` and `address = \"{rest}\"`"));
    } else if let Some((_, rest)) = address.split_once("://") {
        flaws.error(spot, "`address` has a scheme", format!("write \"{}\"", rest.trim_end_matches('/')));
    } else if address.parse::<std::net::IpAddr>().is_err() && address.contains([':', '/', '[', ']']) {
        let cure = match address.rsplit_once(':') {
            Some((bare, port)) if port.parse::<u16>().is_ok() => {
                format!("write `address = \"{}\"` and `port = {port}`", bare.trim_matches(['[', ']']))
            }
            _ => "write an IP address, a name, or an alias of ~/.ssh/config".to_owned(),
        };
        flaws.error(spot, "`address` is nothing that ssh could dial", cure);
    }
}

/// A host that is this machine is reached without ssh.
fn local(host: &Host, spot: Spot<'_>, flaws: &mut Flaws) {
    if host.connection == Connection::Local {
        for key in ["user", "port", "identity_file", "host_key"] {
            if spot.key(key).exists() {
                let message = format!("`{key}` is ssh's, and `connection = \"local\"` uses no ssh");
                flaws.error(spot.name(key), message, "leave one of the two out");
            }
        }
    }
}

fn duplicates(inventory: &Inventory, hosts: Spot<'_>, flaws: &mut Flaws) {
    let mut names = BTreeMap::new();
    let mut places = BTreeMap::new();
    for (host, spot) in inventory.hosts.iter().zip(hosts.items()) {
        if names.insert(host.name.to_lowercase(), ()).is_some() {
            flaws.error(spot.key("name"), format!("two hosts are named `{}`", host.name), "give each host its own name");
        }
        let port = host.port.unwrap_or(22);
        if let Some(first) = places.insert((&host.address, port), &host.name) {
            let message = format!("`{}` has the address and port of `{first}` ({}, port {port})", host.name, host.address);
            flaws.error(spot.key("address"), message, "leave one of the two out, or correct its address or port");
        }
    }
}

fn servers(inventory: &Inventory, hosts: Spot<'_>, flaws: &mut Flaws) {
    let mut servers = inventory.hosts.iter().zip(hosts.items()).filter(|(host, _)| host.role == Role::Server);
    if servers.next().is_none() {
        flaws.error(hosts, "no host is a server", "leave `role` out on the host that runs the control plane");
    }
    for (host, spot) in servers {
        let spot = if spot.key("role").exists() { spot.key("role") } else { spot };
        let message = format!("`{}` is a second server: more than one is not supported yet", host.name);
        flaws.error(spot, message, "write `role = \"agent\"` there");
    }
    let locals = inventory.hosts.iter().zip(hosts.items()).filter(|(host, _)| host.connection == Connection::Local);
    for (host, spot) in locals.skip(1) {
        let message = format!("`{}` can't be this machine: another host is", host.name);
        flaws.error(spot.key("connection"), message, "leave `connection` out: it is reached by ssh");
    }
}
