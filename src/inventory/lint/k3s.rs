//! `[k3s]` and `[kubeconfig]`.

use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::Value;

use crate::inventory::k3s::{NETWORKS, items, networks as of, parts, texts};
use crate::inventory::problem::Flaws;
use crate::inventory::tree::Spot;
use crate::inventory::{Access, Host, Inventory, grammar, suggest};

use super::k3s_keys::{KEYS, Takes};

pub(super) fn lint(inventory: &Inventory, root: Spot<'_>, flaws: &mut Flaws) {
    let spot = root.key("k3s");
    for (key, value) in &inventory.k3s.0 {
        match KEYS.iter().find(|(known, _)| known == key) {
            Some((_, Takes::Ours(why))) => flaws.error(spot.name(key), format!("`{key}` can't be set here"), *why),
            Some((_, shape)) => fits(key, value, *shape, spot.key(key), flaws),
            None => {
                let cure = match suggest::nearest(key, KEYS.iter().map(|(known, _)| *known)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "k3s would skip it; take it out (keys are those of `k3s server --help`, without `--`)".to_owned(),
                };
                flaws.error(spot.name(key), format!("k3s has no key `{key}`"), cure);
            }
        }
    }
    words(inventory, spot, flaws);
    networks(inventory, spot, flaws);
    access(inventory, root, flaws);
}

/// Values are never told: `datastore-endpoint` holds a password.
fn fits(key: &str, value: &Value, shape: Takes, spot: Spot<'_>, flaws: &mut Flaws) {
    match shape {
        Takes::Scalar if value.is_object() || value.is_array() => {
            flaws.error(spot, format!("`{key}` takes one value"), "write one text, number or flag")
        }
        Takes::Flag if !value.is_boolean() => {
            flaws.error(spot, format!("`{key}` takes true or false"), "write true or false without quotes")
        }
        Takes::Many | Takes::Networks | Takes::Addresses | Takes::Arguments if texts(value).is_none() => {
            flaws.error(spot, format!("`{key}` takes a list of texts"), format!("write `{key} = [\"…\"]`"));
        }
        Takes::Networks if !parts(value).iter().all(|part| part.parse::<IpNet>().is_ok()) => {
            flaws.error(spot, format!("`{key}` is no network"), "write address and prefix, e.g. \"10.42.0.0/16\"");
        }
        Takes::Addresses if !parts(value).iter().all(|part| part.parse::<IpAddr>().is_ok()) => {
            flaws.error(spot, format!("`{key}` is no IP address"), "write an address such as \"10.43.0.10\"");
        }
        Takes::Arguments if !texts(value).into_iter().flatten().all(is_argument) => {
            flaws.error(spot, format!("`{key}` takes `name=value` without `--`"), "e.g. [\"max-pods=150\"]");
        }
        _ => {}
    }
}

fn is_argument(text: &str) -> bool {
    text.split_once('=').is_some_and(|(name, _)| !name.is_empty() && !name.starts_with('-'))
}

/// Keys whose values are words of a small set, or names.
fn words(inventory: &Inventory, spot: Spot<'_>, flaws: &mut Flaws) {
    const SETS: [(&str, &[&str]); 4] = [
        ("disable", &["coredns", "servicelb", "traefik", "local-storage", "metrics-server", "runtimes"]),
        ("flannel-backend", &["vxlan", "host-gw", "wireguard-native", "none"]),
        ("secrets-encryption-provider", &["aescbc", "secretbox"]),
        ("egress-selector-mode", &["agent", "cluster", "pod", "disabled"]),
    ];
    for (key, set) in SETS {
        for word in items(&inventory.k3s, key) {
            if !set.contains(&word) {
                flaws.error(spot.key(key), format!("`{key}` can't be `{word}`"), suggest::cure(word, set));
            }
        }
    }
    for name in items(&inventory.k3s, "tls-san") {
        if name.parse::<IpAddr>().is_err() && grammar::subdomain(name).is_err() {
            flaws.error(
                spot.key("tls-san"),
                format!("`tls-san` holds `{name}`, which is neither an address nor a name"),
                "write addresses and names alone",
            );
        }
    }
}

fn networks(inventory: &Inventory, spot: Spot<'_>, flaws: &mut Flaws) {
    let [pods, services] = NETWORKS.map(|network| of(&inventory.k3s, network));
    let crossing =
        pods.iter().any(|pod| services.iter().any(|service| pod.contains(&service.network()) || service.contains(&pod.network())));
    let given = if spot.key("service-cidr").exists() { "service-cidr" } else { "cluster-cidr" };
    if crossing {
        flaws.error(
            spot.key(given),
            "the networks of pods and services overlap",
            "give `cluster-cidr` and `service-cidr` networks of their own",
        );
    }
    for address in items(&inventory.k3s, "cluster-dns") {
        if let Ok(ip) = address.parse::<IpAddr>()
            && !services.iter().any(|service| service.contains(&ip))
        {
            flaws.error(
                spot.key("cluster-dns"),
                format!("`cluster-dns` {ip} lies outside `service-cidr`"),
                "take an address of that network",
            );
        }
    }
}

fn access(inventory: &Inventory, root: Spot<'_>, flaws: &mut Flaws) {
    if inventory.kubeconfig.access != Access::Direct {
        return;
    }
    let names = items(&inventory.k3s, "tls-san");
    let Some(address) = inventory.server().map(Host::direct) else { return };
    if !names.contains(&address.as_str()) {
        let message = format!("`access = \"direct\"` goes to {address}, and `tls-san` does not hold it");
        let cure = format!("add `tls-san = [\"{address}\"]` to [k3s], or use \"tunnel\"");
        flaws.error(root.key("kubeconfig").key("access"), message, cure);
    }
}
