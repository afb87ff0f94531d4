//! From an inventory's path to a world that can be asked.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Target;
use crate::artifacts::{Artifacts, LockFile, Source};
use crate::engine::Live;
use crate::inventory::{self, Inventory};
use crate::model::{Exit, Failure, HostId, Step};
use crate::outside::{Outside, Trust};
use crate::remote::{Prompt, Remote};
use crate::report::clean;
use crate::steps::flow;

/// What every subcommand needs.
pub struct Session {
    /// The steps that the inventory wants, in order.
    pub steps: Vec<Box<dyn Step>>,
    /// The first server.
    pub server: HostId,
    /// The world.
    pub live: Live,
}

impl Session {
    /// Reads the inventory and connects to its hosts. A wrong inventory contacts nothing.
    ///
    /// # Errors
    /// 65: the inventory is wrong; 69, 77: a host can't be reached or refuses.
    pub async fn open(target: &Target) -> Result<Self, Failure> {
        let inventory = load(target)?;
        let steps = flow(&inventory);
        let artifacts = Artifacts::new(Source::parse(&inventory.source), LockFile::beside(&target.inventory))?;
        let outside = Outside::new(&trust(&inventory))?;
        let prompt = Prompt::of_environment();
        let mut remotes = BTreeMap::new();
        for host in &inventory.hosts {
            remotes.insert(HostId(host.name.clone()), Arc::new(Remote::connect(host, &prompt).await?));
        }
        let server = server(&inventory)?;
        Ok(Self { steps, live: Live::new(remotes, server.clone(), outside, artifacts), server })
    }
}

/// Reads the inventory; problems and warnings go to stderr, each with its line.
///
/// # Errors
/// 65: it is wrong.
pub fn load(target: &Target) -> Result<Inventory, Failure> {
    match inventory::load(&target.inventory) {
        Ok(loaded) => {
            for warning in &loaded.warnings {
                eprintln!("warning: {}", clean(&warning.to_string()));
            }
            Ok(loaded.inventory)
        }
        Err(problems) => {
            for problem in &problems {
                eprintln!("{}\n", clean(&problem.to_string()));
            }
            let seen = match problems.len() {
                1 => "it has a problem".into(),
                some => format!("it has {some} problems"),
            };
            let tried = format!("use {}", target.inventory.display());
            Err(Failure::new(tried, seen, "mend it as said above; nothing was contacted").exiting(Exit::BadInventory))
        }
    }
}

/// The first server, where the lock lies and helm runs.
///
/// # Errors
/// There is none, which `inventory::load` refuses already.
pub fn server(inventory: &Inventory) -> Result<HostId, Failure> {
    let first = inventory.hosts.iter().find(|host| host.role == inventory::Role::Server);
    let first = first.ok_or_else(|| Failure::new("find the server", "no host has role = \"server\"", "give one").exiting(Exit::BadInventory))?;
    Ok(HostId(first.name.clone()))
}

fn trust(inventory: &Inventory) -> Trust {
    let roots = |server: fn(&inventory::Acme) -> &inventory::AcmeServer| {
        inventory.acme.as_ref().and_then(|acme| server(acme).roots.clone()).into_iter().collect()
    };
    Trust { production: roots(|acme| &acme.production), staging: roots(|acme| &acme.staging) }
}
