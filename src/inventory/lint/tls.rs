//! `[[sites]]` whose certificate bedplate itself puts into the cluster: what each way needs.

use std::collections::BTreeMap;

use crate::inventory::problem::Flaws;
use crate::inventory::tree::Spot;
use crate::inventory::{Inventory, Site, Tls};

pub(super) fn lint(inventory: &Inventory, root: Spot<'_>, flaws: &mut Flaws) {
    for (site, spot) in super::sites(inventory, root) {
        if matches!(site.tls, Tls::SelfSigned | Tls::OwnCa) && site.certificate.is_none() {
            let cure = "add `certificate = \"…\"`: the Secret that the Ingress names under `tls`";
            flaws.error(spot, format!("`certificate` is missing: nothing says where the certificate of `{}` goes", site.domain), cure);
        }
        files(site, spot, flaws);
    }
    one_way(inventory, root, flaws);
}

fn files(site: &Site, spot: Spot<'_>, flaws: &mut Flaws) {
    let cures = [
        ("certificate_file", &site.certificate_file, "the leaf in PEM, intermediate certificates behind it"),
        ("key_file", &site.key_file, "the leaf's private key in PEM"),
        ("ca_file", &site.ca_file, "the root certificate in PEM that visitors trust"),
    ];
    for (key, path, what) in cures {
        match (path, site.tls) {
            (None, Tls::OwnCa) => {
                let message = format!("`{key}` is missing: `{}` has tls = \"own-ca\"", site.domain);
                flaws.error(spot, message, format!("add `{key} = \"…\"`: {what}"));
            }
            (Some(_), Tls::Acme | Tls::SelfSigned | Tls::Off) => {
                let cure = "leave it out, or write `tls = \"own-ca\"`";
                flaws.error(spot.key(key), format!("`{key}` is for tls = \"own-ca\" alone"), cure);
            }
            _ => {}
        }
    }
}

/// A Secret comes in one way only.
fn one_way(inventory: &Inventory, root: Spot<'_>, flaws: &mut Flaws) {
    let mut first: BTreeMap<(&str, &str), &Site> = BTreeMap::new();
    for (site, spot) in super::sites(inventory, root).filter(|(site, _)| site.tls != Tls::Off) {
        let (Some(namespace), Some(certificate)) = (inventory.namespace_of(site), site.certificate.as_deref()) else { continue };
        let way = |site: &Site| (site.tls, site.certificate_file.clone(), site.key_file.clone());
        let other = *first.entry((namespace, certificate)).or_insert(site);
        if way(other) != way(site) {
            let message = format!("`{}` and `{}` put different certificates into Secret `{certificate}`", other.domain, site.domain);
            flaws.error(spot.key("certificate"), message, "give each a Secret of its own, or the same `tls` and files");
        }
    }
}
