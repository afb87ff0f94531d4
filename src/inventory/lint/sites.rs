//! `[[sites]]`: what each needs from the rest of the inventory.

use std::collections::BTreeMap;

use crate::inventory::problem::Flaws;
use crate::inventory::suggest;
use crate::inventory::tree::Spot;
use crate::inventory::{Inventory, Site, Tls, disables, duration, grammar};

use super::releases::DURATION_CURE;

pub(super) fn lint(inventory: &Inventory, root: Spot<'_>, flaws: &mut Flaws) {
    for (site, spot) in super::sites(inventory, root) {
        release(inventory, site, spot, flaws);
        if site.tls == Tls::Acme {
            acme(inventory, site, spot, flaws);
        }
        if let Some(certificate) = &site.certificate
            && let Err(why) = grammar::subdomain(certificate)
        {
            flaws.error(spot.key("certificate"), format!("Secret name `{certificate}` {why}"), "write a name such as \"shop-tls\"");
        }
        if duration(&site.wait).is_none() {
            flaws.error(spot.key("wait"), format!("`{}` is no duration", site.wait), DURATION_CURE);
        }
        if site.manage_redirects {
            redirects(inventory, site, spot.key("manage_redirects"), flaws);
        }
        checks(site, spot.key("checks"), flaws);
    }
    one_certificate(inventory, root, flaws);
}

fn release(inventory: &Inventory, site: &Site, spot: Spot<'_>, flaws: &mut Flaws) {
    if inventory.releases.iter().any(|release| release.name == site.release) || inventory.plays.iter().any(|play| play.name == site.release)
    {
        return;
    }
    let known: Vec<_> = inventory.releases.iter().map(|release| release.name.as_str()).collect();
    let cure = if known.is_empty() { "add a `[[releases]]` table of that name".to_owned() } else { suggest::cure(&site.release, &known) };
    flaws.error(spot.key("release"), format!("site `{}` names the release `{}`, and there is none", site.domain, site.release), cure);
}

fn acme(inventory: &Inventory, site: &Site, spot: Spot<'_>, flaws: &mut Flaws) {
    let domain = &site.domain;
    if site.certificate.is_none() {
        let cure = "add `certificate = \"…\"`: the Secret that the Ingress names under `tls`";
        flaws.error(spot, format!("`certificate` is missing: `{domain}` is served by ACME"), cure);
    }
    if inventory.acme.is_none() {
        flaws.error(spot, format!("`{domain}` wants ACME, and there is no [acme]"), "add `[acme]` with `email = \"…\"`");
    }
    let taken = inventory.releases.iter().find(|release| release.name == site.release);
    if let Some(release) = taken.filter(|release| release.issuer_value.is_none()) {
        let cure = format!("add `issuer_value = \"ingress.clusterIssuer\"` (the chart's own value) to release `{}`", release.name);
        flaws.error(spot.key("release"), format!("release `{}` does not say which value takes the issuer", release.name), cure);
    }
}

fn redirects(inventory: &Inventory, site: &Site, spot: Spot<'_>, flaws: &mut Flaws) {
    if site.tls == Tls::Off && site.redirect_from.is_empty() {
        let message = format!("`{}` has nothing to redirect: `tls = \"off\"`, and no `redirect_from`", site.domain);
        flaws.error(spot, message, "leave `manage_redirects` out");
    }
    if disables(&inventory.k3s, "traefik") {
        let message = "`manage_redirects` takes Traefik's routes, and `disable` of [k3s] switches Traefik off";
        flaws.error(spot, message, "leave `manage_redirects` out, and let your ingress controller redirect");
    }
}

fn checks(site: &Site, spot: Spot<'_>, flaws: &mut Flaws) {
    for (check, spot) in site.checks.iter().zip(spot.items()) {
        if !check.path.starts_with('/') || check.path.contains(|c: char| c.is_whitespace() || c.is_control() || c == '#') {
            flaws.error(spot.key("path"), format!("`{}` is no path of a URL", check.path), "begin with `/`, e.g. \"/healthz\"");
        }
        if !(200..600).contains(&check.status) {
            flaws.error(spot.key("status"), format!("{} is no final HTTP status", check.status), "write one from 200 to 599");
        }
        if check.title.as_ref().is_some_and(|title| title.trim().is_empty()) {
            flaws.error(spot.key("title"), "an empty title proves nothing", "write the page's title, or leave `title` out");
        }
    }
}

/// A release has one `issuer_value`, so its sites go through staging together, on one certificate.
fn one_certificate(inventory: &Inventory, root: Spot<'_>, flaws: &mut Flaws) {
    let mut first: BTreeMap<&str, &Site> = BTreeMap::new();
    for (site, spot) in super::sites(inventory, root).filter(|(site, _)| site.tls == Tls::Acme) {
        match first.get(site.release.as_str()) {
            Some(other) if other.certificate.is_some() && site.certificate.is_some() && other.certificate != site.certificate => {
                let message = format!("release `{}` would need two ACME certificates", site.release);
                flaws.error(spot.key("certificate"), message, "one certificate per release: put both names into one, or make two releases");
            }
            Some(_) => {}
            None => {
                first.insert(&site.release, site);
            }
        }
    }
}
