//! From an inventory's path to a world that can be asked.

use std::path::{Path, PathBuf};

use super::{Only, Target};
use crate::artifacts::{Artifacts, LockFile, Source};
use crate::engine::{Live, Verdict, survey};
use crate::images::{self, Images};
use crate::inventory::{self, Host, Inventory};
use crate::model::{Event, Exit, Failure, HostId, Sink, Step, World};
use crate::outside::{Outside, Trust};
use crate::remote::{Hosts, Prompt};
use crate::report::{clean, progress};
use crate::steps::{diagnosis, flow, probe};

/// What every subcommand needs.
pub struct Session {
    /// The steps that the inventory wants, in order.
    pub steps: Vec<Box<dyn Step>>,
    /// What says why a certificate does not come.
    pub diagnosis: Vec<Box<dyn Step>>,
    /// What tries the way of every challenge, and what takes it away again.
    pub probe: [Vec<Box<dyn Step>>; 2],
    /// The first server.
    pub server: HostId,
    /// The world.
    pub live: Live,
    /// The commands that make images.
    builds: Vec<String>,
    /// The inventory's, where they run.
    folder: PathBuf,
}

impl Session {
    /// Reads the inventory. The hosts that the steps concern are connected to when they are first asked; a wrong inventory contacts nothing.
    ///
    /// # Errors
    /// 64: `only` names what is not there; 65: the inventory is wrong.
    pub fn open(target: &Target, only: &Only) -> Result<Self, Failure> {
        let inventory = load(target)?;
        let steps = only.of(flow(&inventory))?;
        Self::with(target, &inventory, steps)
    }

    /// The same for the inventory's images alone, or for those of these names: that they are on the hosts, and that pods run them.
    ///
    /// # Errors
    /// 64: there is no such image; 65: the inventory is wrong.
    pub fn to_push(target: &Target, names: &[String]) -> Result<Self, Failure> {
        let mut inventory = load(target)?;
        let known: Vec<&str> = inventory.images.keys().map(String::as_str).collect();
        let lacking = match names.iter().find(|name| !known.contains(&name.as_str())) {
            Some(name) => Some((format!("no image is called {name}"), format!("known are: {}", known.join(", ")))),
            None if known.is_empty() => Some(("the inventory has no [images]".to_owned(), "name there what is to be sent".to_owned())),
            None => None,
        };
        if let Some((seen, cure)) = lacking {
            return Err(Failure::new("push images", seen, cure).exiting(Exit::Usage));
        }
        if !names.is_empty() {
            inventory.images.retain(|name, _| names.contains(name));
            // Those that are left out are no former versions of those that are named.
            inventory.images.values_mut().for_each(|image| image.keep = Some(u8::MAX));
        }
        let steps = flow(&inventory).into_iter().filter(|step| ["images", "workloads"].iter().any(|word| step.id().is_called(word)));
        Self::with(target, &inventory, steps.collect())
    }

    /// The same for the diagnosis alone.
    ///
    /// # Errors
    /// 65: the inventory is wrong.
    pub fn to_diagnose(target: &Target) -> Result<Self, Failure> {
        let inventory = load(target)?;
        Self::with(target, &inventory, diagnosis(&inventory))
    }

    /// The same for these steps.
    ///
    /// # Errors
    /// The artifacts' source, or a root certificate, can't be used.
    pub(super) fn with(target: &Target, inventory: &Inventory, steps: Vec<Box<dyn Step>>) -> Result<Self, Failure> {
        let artifacts = Artifacts::new(Source::parse(&inventory.source), LockFile::beside(&target.inventory))?;
        let outside = Outside::new(&trust(inventory))?;
        let server = HostId(server(inventory)?.name.clone());
        let concerned = |host: &&Host| host.name == server.0 || steps.iter().any(|step| step.scope().is_host(&host.name));
        let hosts: Vec<Host> = inventory.hosts.iter().filter(concerned).cloned().collect();
        let hosts = Hosts::new(hosts, server.clone(), Prompt::of_environment());
        let live = Live::new(hosts, outside, artifacts, Images::new()?);
        let folder = target.inventory.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned();
        Ok(Self { steps, diagnosis: diagnosis(inventory), probe: probe(inventory), server, live, builds: inventory.builds(), folder })
    }

    /// Makes the images that are made by a command.
    ///
    /// # Errors
    /// A command fails.
    pub async fn build(&self) -> Result<(), Failure> {
        for command in &self.builds {
            progress(&format!("running {}", clean(command)));
            images::build(command, &self.folder).await?;
        }
        Ok(())
    }

    /// Every step's verdict, nothing changed.
    ///
    /// # Errors
    /// 69, 77: the first server can't be reached or refuses.
    pub async fn look(&self, sink: &Sink) -> Result<Vec<Verdict>, Failure> {
        self.look_at(&self.steps, sink).await
    }

    /// These steps' verdicts, nothing changed.
    ///
    /// # Errors
    /// 69, 77: the first server can't be reached or refuses.
    pub async fn look_at(&self, steps: &[Box<dyn Step>], sink: &Sink) -> Result<Vec<Verdict>, Failure> {
        self.live.meet().await;
        let mut world = World::default();
        let survey = survey(&self.live, steps, &self.server, &mut world, sink).await;
        if let Some(failure) = world.lost().get(&self.server) {
            return Err(failure.as_ref().clone());
        }
        sink(Event::Looked);
        Ok(survey.verdicts)
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
                progress(&format!("warning: {}", clean(&warning.to_string())));
            }
            Ok(Inventory { consents: target.consents.clone(), ..loaded.inventory })
        }
        Err(problems) => {
            for problem in &problems {
                progress(&format!("{}\n", clean(&problem.to_string())));
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
pub fn server(inventory: &Inventory) -> Result<&Host, Failure> {
    let none = || Failure::new("find the server", "no host has role = \"server\"", "give one").exiting(Exit::BadInventory);
    inventory.server().ok_or_else(none)
}

fn trust(inventory: &Inventory) -> Trust {
    let roots = |server: fn(&inventory::Acme) -> &inventory::AcmeServer| {
        inventory.acme.as_ref().and_then(|acme| server(acme).roots.clone()).into_iter().collect()
    };
    Trust { production: roots(|acme| &acme.production), staging: roots(|acme| &acme.staging) }
}
