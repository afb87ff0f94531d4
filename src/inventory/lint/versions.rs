//! `[versions]` and `source`.

use crate::inventory::problem::Flaws;
use crate::inventory::resolve::is_folder;
use crate::inventory::tree::Spot;
use crate::inventory::{Inventory, grammar};

pub(super) fn lint(inventory: &Inventory, root: Spot<'_>, flaws: &mut Flaws) {
    let spot = root.key("versions");
    let versions = &inventory.versions;
    check("k3s", &versions.k3s, "+k3s", "v1.35.5+k3s1", spot, flaws);
    if let Some(helm) = &versions.helm {
        check("helm", helm, "", "v4.2.4", spot, flaws);
        if grammar::version(helm, "") && !helm.starts_with("v3.") && !helm.starts_with("v4.") {
            flaws.error(spot.key("helm"), format!("helm {helm} is not known here"), "pin a v3 or a v4");
        }
    }
    if let Some(cert_manager) = &versions.cert_manager {
        check("cert-manager", cert_manager, "", "v1.21.1", spot, flaws);
    }
    let acme = inventory.wants_acme();
    if versions.helm.is_none() && (acme || !inventory.releases.is_empty()) {
        flaws.error(spot, "`helm` is missing: a release or an ACME site needs it", "add `helm = \"v4.2.4\"` to [versions]");
    }
    if versions.cert_manager.is_none() && acme {
        flaws.error(
            spot,
            "`cert-manager` is missing: a site with tls = \"acme\" needs it",
            "add `cert-manager = \"v1.21.1\"` to [versions]",
        );
    }
    source(inventory, root.key("source"), flaws);
}

fn check(name: &str, version: &str, suffix: &str, like: &str, spot: Spot<'_>, flaws: &mut Flaws) {
    if !grammar::version(version, suffix) {
        flaws.error(spot.key(name), format!("`{version}` is no version of {name}"), format!("write it in full, as in \"{like}\""));
    }
}

fn source(inventory: &Inventory, spot: Spot<'_>, flaws: &mut Flaws) {
    let source = inventory.source.as_str();
    if is_folder(source) || source == "upstream" {
        return;
    }
    let fits = url::Url::parse(source).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    if !fits {
        flaws.error(spot, "`source` is no URL of a mirror", "write \"upstream\", \"https://…\", or a folder such as \"./mirror\"");
    }
}
