//! Two ACME authorities: Pebble twice, with different roots, as Let's Encrypt has staging and production.

use std::fs;
use std::path::PathBuf;

use anyhow::Result;
use serde_json::json;

use super::ca::Ca;
use super::daemon::Daemon;
use super::network::{BRIDGE, inside};
use super::place::Place;
use crate::run::run;

/// One authority of the two.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Acme {
    /// Whose certificates no visitor trusts.
    Staging,
    /// Whose certificates a visitor trusts.
    Production,
}

impl Acme {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Staging, Self::Production];

    /// As the inventory's `[acme]` calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Staging => "staging",
            Self::Production => "production",
        }
    }

    /// The directory's URL.
    pub fn directory(self) -> String {
        format!("https://{BRIDGE}:{}/dir", self.port())
    }

    /// The root that its chains end in, PEM. Pebble makes a new one at each start.
    pub fn root(self, place: &Place) -> PathBuf {
        place.state.join("ca").join(format!("{}-root.pem", self.name()))
    }

    /// Starts it unless it runs.
    pub fn up(self, place: &Place, ca: &Ca) -> Result<()> {
        let name = format!("pebble-{}", self.name());
        if Daemon::find(place, &name)?.is_some() && self.root(place).exists() {
            return Ok(());
        }
        let config = place.folder("acme")?.join(format!("{}.json", self.name()));
        fs::write(&config, self.config(ca).to_string())?;
        let mut pebble = inside("pebble");
        pebble.arg("-config").arg(config).args(["-dnsserver", &format!("{BRIDGE}:53")]);
        // Pebble sleeps at random before it asks, unless told not to; nonces that it refuses at random stay on.
        pebble.env("PEBBLE_VA_NOSLEEP", "1");
        let daemon = Daemon::start(place, &name, &pebble)?;
        daemon.listens(place, self.port())?;
        daemon.listens(place, self.management())?;
        let mut curl = inside("curl");
        curl.args(["--silent", "--show-error", "--fail", "--cacert"]).arg(&ca.root);
        let root = run(curl.arg(format!("https://{BRIDGE}:{}/roots/0", self.management())))?;
        fs::write(self.root(place), root)?;
        Ok(())
    }

    fn config(self, ca: &Ca) -> serde_json::Value {
        json!({ "pebble": {
            "listenAddress": format!("{BRIDGE}:{}", self.port()),
            "managementListenAddress": format!("{BRIDGE}:{}", self.management()),
            "certificate": ca.certificate,
            "privateKey": ca.key,
            "httpPort": 80,
            "tlsPort": 443,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": false,
        }})
    }

    fn port(self) -> u16 {
        match self {
            Self::Staging => 14000,
            Self::Production => 14001,
        }
    }

    fn management(self) -> u16 {
        self.port() + 1000
    }
}
