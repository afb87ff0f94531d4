//! Names under which sites are served, and whether a CA could ever reach them.

use std::collections::BTreeMap;

use crate::inventory::problem::Flaws;
use crate::inventory::tree::Spot;
use crate::inventory::{Inventory, Role, Tls, grammar, is_private};

pub(super) fn lint(inventory: &Inventory, root: Spot<'_>, flaws: &mut Flaws) {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for (site, spot) in super::sites(inventory, root) {
        let spots = std::iter::once(spot.key("domain")).chain(spot.key("redirect_from").items());
        for (name, spot) in site.names().zip(spots) {
            if let Err((why, cure)) = grammar::domain(name) {
                flaws.error(spot, format!("`{name}` {why}"), cure);
            } else if site.tls == Tls::Acme
                && let Some((why, cure)) = out_of_reach(inventory, name)
            {
                flaws.error(spot, format!("`{name}` can't have tls = \"acme\": {why}"), cure);
            }
            if let Some(first) = seen.insert(name, &site.domain) {
                flaws.error(spot, format!("`{name}` is named twice (first by site `{first}`)"), "a name is served by one site");
            }
        }
    }
    if !inventory.sites.is_empty() {
        visible(inventory, root, flaws);
    }
}

/// Why no public CA can validate a name, and what to do instead.
fn out_of_reach(inventory: &Inventory, name: &str) -> Option<(&'static str, &'static str)> {
    let last = name.rsplit('.').next()?;
    let off = "use a name in public DNS, or `tls = \"self-signed\"`, \"own-ca\" or \"off\"";
    if last == "local" {
        return Some(("`.local` lives in multicast DNS, where no CA looks", off));
    }
    if !name.contains('.') {
        return Some(("it is not a full name in DNS", off));
    }
    // A CA of one's own may see names and addresses that the public ones do not.
    if inventory.acme.as_ref().is_some_and(|acme| acme.production.server.is_some()) {
        return None;
    }
    if ["localhost", "localdomain", "internal", "intranet", "lan", "home", "corp", "private", "test", "invalid", "onion"].contains(&last)
        || name.ends_with(".home.arpa")
    {
        return Some((
            "it is not in public DNS, where Let's Encrypt looks",
            "use a name in public DNS, `tls = \"self-signed\"`, \"own-ca\" or \"off\", or a CA of your own in [acme]",
        ));
    }
    let reserved = ["example.com", "example.org", "example.net"];
    if reserved.iter().any(|reserved| name == *reserved || name.strip_suffix(reserved).is_some_and(|rest| rest.ends_with('.'))) {
        return Some(("it is reserved for documentation", "write your own domain"));
    }
    None
}

/// Whether DNS and visitors can find the server at all.
fn visible(inventory: &Inventory, root: Spot<'_>, flaws: &mut Flaws) {
    let own_ca = inventory.acme.as_ref().is_some_and(|acme| acme.production.server.is_some());
    let acme = inventory.wants_acme() && !own_ca;
    for (host, spot) in inventory.hosts.iter().zip(root.key("hosts").items()).filter(|(host, _)| host.role == Role::Server) {
        match host.visible_ip() {
            None => {
                let message = format!("`public_ip` is missing: `{}` is a name, and the sites' DNS must answer an address", host.address);
                flaws.error(spot.key("address"), message, "add `public_ip = \"…\"`: where visitors find this host");
            }
            Some(ip) if acme && is_private(ip) => {
                let key = if spot.key("public_ip").exists() { "public_ip" } else { "address" };
                let message = format!("{ip} is a private address: Let's Encrypt can't reach it, and a site says tls = \"acme\"");
                flaws.error(
                    spot.key(key),
                    message,
                    "set `public_ip` to the address that the world sees, or use `tls = \"self-signed\"`, \"own-ca\" or \"off\"",
                );
            }
            Some(_) => {}
        }
    }
}
