//! ACME authorities: Pebble twice, with different roots, as Let's Encrypt has staging and production, and a third one that makes trouble.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use rustix::process::Signal;
use serde_json::json;

use super::ca::Ca;
use super::daemon::{Daemon, send};
use super::network::{BRIDGE, inside};
use super::place::Place;
use crate::run::run;

/// An authority that says nothing.
pub struct Silence(i32);

impl Drop for Silence {
    fn drop(&mut self) {
        // One that is gone shows when it is asked next.
        let _ = send(self.0, Signal::CONT);
    }
}

/// One authority.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Acme {
    /// Whose certificates no visitor trusts.
    Staging,
    /// Whose certificates a visitor trusts.
    Production,
    /// Slow, forgetful, and whose certificates are short-lived; no project knows it.
    Moody,
}

impl Acme {
    /// Those that a project has.
    pub const ALL: [Self; 2] = [Self::Staging, Self::Production];

    /// As the inventory's `[acme]` calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Staging => "staging",
            Self::Production => "production",
            Self::Moody => "moody",
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

    /// How many orders it took since it was started.
    pub fn orders(self, place: &Place) -> Result<usize> {
        let log = fs::read(place.folder("logs")?.join(format!("pebble-{}", self.name())))?;
        Ok(String::from_utf8_lossy(&log).lines().filter(|line| line.contains("Added order ")).count())
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
        pebble.envs(self.moods().iter().copied());
        let daemon = Daemon::start(place, &name, &pebble)?;
        daemon.listens(place, self.port())?;
        daemon.listens(place, self.management())?;
        let mut curl = inside("curl");
        curl.args(["--silent", "--show-error", "--fail", "--cacert"]).arg(&ca.root);
        let root = run(curl.arg(format!("https://{BRIDGE}:{}/roots/0", self.management())))?;
        fs::write(self.root(place), root)?;
        Ok(())
    }

    /// Lets it say nothing for as long as the value lives: connections come about, and nobody answers.
    pub fn silenced(self, place: &Place) -> Result<Silence> {
        let name = format!("pebble-{}", self.name());
        let daemon = Daemon::find(place, &name)?.with_context(|| format!("{name} does not run"))?;
        send(daemon.pid, Signal::STOP)?;
        Ok(Silence(daemon.pid))
    }

    /// Pebble sleeps at random before it asks, unless told not to; it refuses a nonce at random, one in twenty unless told otherwise. Of a
    /// request whose nonce is refused six times cert-manager takes the refusal for the CA's last word (cert-manager: pkg/acme/util).
    fn moods(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Staging | Self::Production => &[("PEBBLE_VA_NOSLEEP", "1")],
            Self::Moody => &[("PEBBLE_WFE_NONCEREJECT", "15"), ("PEBBLE_VA_SLEEPTIME", "4"), ("PEBBLE_AUTHZREUSE", "0")],
        }
    }

    /// How long its certificates live, seconds; Pebble's default is five years.
    fn lifetime(self) -> u32 {
        match self {
            Self::Staging | Self::Production => 157_766_400,
            Self::Moody => 120,
        }
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
            "certificateValidityPeriod": self.lifetime(),
        }})
    }

    fn port(self) -> u16 {
        match self {
            Self::Staging => 14000,
            Self::Production => 14001,
            Self::Moody => 14002,
        }
    }

    fn management(self) -> u16 {
        self.port() + 1000
    }
}
