//! The rig: throwaway hosts, and everything of the internet that they need, in a network of their own.

mod acme;
mod ca;
mod cgroup;
mod daemon;
mod disk;
mod dns;
mod host;
mod mirror;
mod network;
mod operator;
mod place;
mod root;

use std::fs::{self, File};
use std::net::Ipv4Addr;
use std::path::Path;

use anyhow::{Context, Result, bail};

pub use acme::Acme;
pub use ca::root as ca_root;
pub use dns::Record;
pub use host::Host;
pub use mirror::{folder as mirrored, plain, registry, secure};
pub use network::{BRIDGE, inside, within};
pub use operator::Operator;
pub use place::{Place, clone};

use crate::build::{self, Artifacts, Former};
use crate::packages;
use daemon::Daemon;

/// A rig that is up.
pub struct Rig {
    /// Its folders.
    pub place: Place,
    /// Who types.
    pub operator: Operator,
    /// What is served.
    pub artifacts: Artifacts,
    /// Held as long as this lives, so that two runs do not pull at the same hosts.
    _lock: File,
}

impl Rig {
    /// Brings everything up but the hosts; what runs already is left alone. With `source`, released files are served instead of
    /// built ones.
    pub fn up(source: Option<&Path>) -> Result<Self> {
        packages::ensure(packages::RIG)?;
        let place = Place::here()?;
        let lock = lock(&place)?;
        let built = build::artifacts(Former::Pruned)?;
        let artifacts = match source {
            Some(folder) => build::released(folder, built)?,
            None => built,
        };
        network::up()?;
        let ca = ca::ca(&place)?;
        let operator = Operator::up(&place, &ca)?;
        dns::set(&place, &usual())?;
        for acme in Acme::ALL {
            acme.up(&place, &ca)?;
        }
        mirror::up(&place, &ca, &artifacts)?;
        mirror::registry_up(&place, &artifacts.images)?;
        Ok(Self { place, operator, artifacts, _lock: lock })
    }

    /// Hosts 1 to `count`, booted side by side; those that run already are left alone.
    pub fn hosts(&self, count: u8) -> Result<Vec<Host>> {
        let hosts = (1..=count).map(|number| Host::numbered(&self.place, number)).collect::<Result<Vec<_>>>()?;
        let booting = hosts.iter().map(|host| host.boot(&self.operator)).collect::<Result<Vec<_>>>()?;
        hosts.iter().zip(&booting).try_for_each(|(host, daemon)| host.answers(daemon))?;
        Ok(hosts)
    }

    /// Host `number`, on a new disk.
    pub fn fresh(&self, number: u8) -> Result<Host> {
        let host = Host::numbered(&self.place, number)?;
        host.discard()?;
        host.answers(&host.boot(&self.operator)?)?;
        Ok(host)
    }

    /// Brings the CA up that makes trouble.
    pub fn moody(&self) -> Result<()> {
        Acme::Moody.up(&self.place, &ca::ca(&self.place)?)
    }

    /// Makes DNS say this and nothing else.
    pub fn records(&self, records: &[Record]) -> Result<()> {
        dns::set(&self.place, records)
    }

    /// Takes everything down, and removes all but the caches.
    pub fn down() -> Result<()> {
        let place = Place::here()?;
        if !place.state.exists() {
            return Ok(());
        }
        let _lock = lock(&place)?;
        let hosts = Host::all(&place)?;
        std::thread::scope(|scope| {
            let ends: Vec<_> = hosts.iter().map(|host| scope.spawn(|| host.discard())).collect();
            ends.into_iter().try_for_each(|end| end.join().unwrap_or_else(|_| bail!("ending a host panicked")))
        })?;
        network::down()?;
        Operator::down()?;
        fs::remove_dir_all(&place.state).with_context(|| format!("removing {}", place.state.display()))
    }

    /// What runs, one line each.
    pub fn status() -> Result<()> {
        let place = Place::here()?;
        if !place.state.exists() {
            println!("the rig is down");
            return Ok(());
        }
        for name in Daemon::names(&place)? {
            match Daemon::find(&place, &name)? {
                Some(daemon) => println!("{name}: process {}", daemon.pid),
                None => println!("{name}: ended by itself, see {}", place.state.join("logs").join(&name).display()),
            }
        }
        Ok(())
    }
}

/// The test domains, at the first host.
pub fn usual() -> Vec<Record> {
    ["shop.example", "www.shop.example"].map(|name| Record::A(name.into(), Ipv4Addr::new(203, 0, 113, 10))).into()
}

fn lock(place: &Place) -> Result<File> {
    fs::create_dir_all(&place.state)?;
    let folder = File::open(&place.state)?;
    folder.try_lock().context("another run uses the rig")?;
    Ok(folder)
}
