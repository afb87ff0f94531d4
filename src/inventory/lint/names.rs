//! Names that become names of Kubernetes objects, and objects that two tables would write.

use std::collections::BTreeMap;

use crate::inventory::problem::Flaws;
use crate::inventory::tree::Spot;
use crate::inventory::{Inventory, grammar};

pub(super) fn lint(inventory: &Inventory, root: Spot<'_>, flaws: &mut Flaws) {
    label("the cluster's name", &inventory.name, root.key("name"), flaws);
    for name in inventory.images.keys() {
        label("image name", name, root.key("images").name(name), flaws);
    }
    for (keys, spot) in inventory.jwt_keys.iter().zip(root.key("jwt_keys").items()) {
        secret(&keys.secret, spot.key("secret"), flaws);
        namespace(&keys.namespace, spot.key("namespace"), flaws);
    }
    for (source, spot) in super::placed(&inventory.secrets, root.key("secrets"), root) {
        secret(&source.name, spot.key("name"), flaws);
        namespace(&source.namespace, spot.key("namespace"), flaws);
    }
    for (release, spot) in super::placed(&inventory.releases, root.key("releases"), root) {
        label("release name", &release.name, spot.key("name"), flaws);
        // helm appends to it, and labels hold 63 (helm:pkg/chart/common/util/names, maxReleaseNameLen).
        if release.name.len() > 53 {
            flaws.error(spot.key("name"), "a release's name can't be longer than 53 characters", "shorten it");
        }
        namespace(&release.namespace, spot.key("namespace"), flaws);
    }
    twice(inventory, root, flaws);
}

pub(super) fn label(what: &str, name: &str, spot: Spot<'_>, flaws: &mut Flaws) {
    if let Err(why) = grammar::label(name) {
        flaws.error(spot, format!("{what} `{name}` {why}"), "write a name such as \"shop\"");
    }
}

pub(super) fn namespace(name: &str, spot: Spot<'_>, flaws: &mut Flaws) {
    label("namespace", name, spot, flaws);
}

fn secret(name: &str, spot: Spot<'_>, flaws: &mut Flaws) {
    if let Err(why) = grammar::subdomain(name) {
        flaws.error(spot, format!("Secret name `{name}` {why}"), "write a name such as \"shop-secrets\"");
    }
}

/// A Secret, or a release, that two tables name: each would undo the other's work.
fn twice(inventory: &Inventory, root: Spot<'_>, flaws: &mut Flaws) {
    let keys = inventory
        .jwt_keys
        .iter()
        .zip(root.key("jwt_keys").items())
        .map(|(keys, spot)| ((&keys.namespace, &keys.secret), spot.key("secret")));
    let sources = super::placed(&inventory.secrets, root.key("secrets"), root)
        .map(|(source, spot)| ((&source.namespace, &source.name), spot.key("name")));
    let certificates = super::sites(inventory, root).filter_map(|(site, spot)| {
        let release = inventory.releases.iter().find(|release| release.name == site.release)?;
        Some(((&release.namespace, site.certificate.as_ref()?), spot.key("certificate")))
    });
    let mut seen = BTreeMap::new();
    for ((namespace, name), spot) in keys.chain(sources) {
        if seen.insert((namespace, name), ()).is_some() {
            flaws.error(spot, format!("Secret `{name}` in namespace `{namespace}` is written by two tables"), "give each its own name");
        }
    }
    for ((namespace, name), spot) in certificates {
        if seen.contains_key(&(namespace, name)) {
            let message = format!("certificate `{name}` is a Secret that another table writes");
            flaws.error(spot, message, "cert-manager writes this one; give it a name of its own");
        }
    }
    let mut releases = BTreeMap::new();
    for (release, spot) in super::placed(&inventory.releases, root.key("releases"), root) {
        if let Some(namespace) = releases.insert(&release.name, &release.namespace) {
            let message = format!("release `{}` is named twice (first in namespace `{namespace}`)", release.name);
            flaws.error(spot.key("name"), message, "sites name a release by its name alone; give each its own");
        }
    }
}
