//! `[acme]`.

use crate::inventory::placeholder::placeholder;
use crate::inventory::problem::Flaws;
use crate::inventory::tree::Spot;
use crate::inventory::{Inventory, grammar};

pub(super) fn lint(inventory: &Inventory, root: Spot<'_>, flaws: &mut Flaws) {
    let Some(acme) = &inventory.acme else { return };
    let spot = root.key("acme");
    let cure = "write an address that somebody reads";
    if let Some(kind) = placeholder(&acme.email) {
        flaws.error(spot.key("email"), format!("`email` holds a placeholder ({kind})"), cure);
    } else if !grammar::email(&acme.email) {
        flaws.error(spot.key("email"), "`email` is no address", cure);
    }
    for (phase, server) in [("staging", &acme.staging), ("production", &acme.production)] {
        let Some(server) = &server.server else { continue };
        let fits = url::Url::parse(server).is_ok_and(|url| url.scheme() == "https" && url.has_host());
        if !fits {
            flaws.error(
                spot.key(phase).key("server"),
                format!("`{phase}.server` is no https URL"),
                "write the URL of the CA's ACME directory",
            );
        }
    }
    let servers = (&acme.staging.server, &acme.production.server);
    if let (Some(staging), Some(production)) = servers
        && staging == production
    {
        let cure = "name two directories; staging is what a first attempt may cost";
        flaws.error(spot.key("production").key("server"), "staging and production are the same ACME server", cure);
    }
}
