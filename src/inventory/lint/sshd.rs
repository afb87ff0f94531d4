//! `[sshd]`: what would shut ourselves out, or does nothing.

use crate::inventory::problem::Flaws;
use crate::inventory::sshd::RootLogin;
use crate::inventory::tree::Spot;
use crate::inventory::{Connection, Inventory};

pub(super) fn lint(inventory: &Inventory, root: Spot<'_>, flaws: &mut Flaws) {
    let Some(sshd) = &inventory.sshd else { return };
    let spot = root.key("sshd");
    if sshd.password_authentication == Some(true) {
        let cure = "leave it out; where the host's own settings take passwords, they go on doing so";
        flaws.error(spot.key("password_authentication"), "[sshd] takes passwords away, and lets nobody in by one", cure);
    }
    if sshd.password_authentication.is_none() && sshd.root_login.is_none() {
        flaws.error(
            spot,
            "[sshd] asks for nothing",
            "add `password_authentication = false` or `root_login = \"prohibit-password\"`, or leave it out",
        );
    }
    for (host, place) in inventory.hosts.iter().zip(root.key("hosts").items()) {
        if host.connection == Connection::Local {
            let message =
                format!("[sshd] waits for a new ssh connection before it keeps its settings, and `{}` is reached without ssh", host.name);
            flaws.error(place.key("connection"), message, "leave out [sshd], or reach the host by ssh");
        } else if sshd.root_login == Some(RootLogin::No) && host.user.as_deref() == Some("root") {
            let message = format!("`root_login = \"no\"` shuts out `root`, as whom ssh reaches `{}`", host.name);
            flaws.error(place.key("user"), message, "name a user who may use sudo, or set `root_login = \"prohibit-password\"`");
        }
    }
}
