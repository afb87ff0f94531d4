//! The hosts on which the matrix is tried, side by side: one with the whole example, two without its site.

use std::thread;

use anyhow::{Context as _, Result, anyhow};
use toml::{Table, Value};

use super::cases::Needs;
use super::trial::Trial;
use crate::bench::Bench;
use crate::e2e::flow::{bedplate, ended};
use crate::project::Project;
use crate::rig::{Host, Rig, secure};

/// Hosts that are converged.
pub struct Lanes<'a> {
    site: Bench<'a>,
    plain: Vec<Bench<'a>>,
}

impl<'a> Lanes<'a> {
    /// Two more beside `site`, which is converged already.
    pub fn beside(site: &Bench<'a>) -> Result<Self> {
        let rig: &'a Rig = site.rig;
        let plain = [2, 3].into_iter().map(|number| plain(rig, number)).collect::<Result<Vec<_>>>()?;
        thread::scope(|scope| {
            let runs: Vec<_> = plain.iter().map(|bench| scope.spawn(|| bedplate(bench, &["bootstrap", "inventory.toml"]))).collect();
            runs.into_iter().try_for_each(|run| ended(&run.join().unwrap_or_else(|_| Err(anyhow!("a lane panicked")))?, 0))
        })?;
        let host = Host::named(&rig.place, &site.host.name)?;
        let project = Project { folder: site.project.folder.clone(), inventory: site.project.inventory.clone() };
        Ok(Self { site: Bench { rig, host, project }, plain })
    }

    /// Every lane with its trials: what needs no site goes to the shorter one of the others.
    pub fn share(&self, trials: Vec<Trial>) -> Vec<(&Bench<'a>, Vec<Trial>)> {
        let mut lanes: Vec<_> = std::iter::once(&self.site).chain(&self.plain).map(|bench| (bench, Vec::new())).collect();
        for trial in trials {
            let (site, plain) = lanes.split_at_mut(1);
            let lane = match trial.case.needs {
                Needs::Site => site.first_mut(),
                Needs::Host => plain.iter_mut().min_by_key(|lane| lane.1.len()),
            };
            if let Some(lane) = lane {
                lane.1.push(trial);
            }
        }
        lanes
    }
}

fn plain(rig: &Rig, number: u8) -> Result<Bench<'_>> {
    let mut bench = Bench::fresh(rig, number)?;
    reduce(&mut bench.project.inventory, &bench.host).context("the example has another shape")?;
    bench.project.save(&rig.operator)?;
    Ok(bench)
}

/// Takes the site and what it needs out of the inventory. The operator has a kubeconfig for each lane, for they go side by side.
fn reduce(inventory: &mut Table, host: &Host) -> Option<()> {
    for table in ["releases", "sites", "acme"] {
        inventory.remove(table)?;
    }
    let (name, address): (Value, Value) = (host.name.clone().into(), host.address.clone().into());
    let described = inventory.get_mut("hosts")?.get_mut(0)?.as_table_mut()?;
    described.insert("name".into(), name.clone());
    described.insert("public_ip".into(), address.clone());
    inventory.get_mut("k3s")?.as_table_mut()?.insert("tls-san".into(), vec![address].into());
    inventory.get_mut("kubeconfig")?.as_table_mut()?.insert("path".into(), format!("~/.kube/{}", host.name).into());
    inventory.insert("name".into(), name);
    inventory.insert("source".into(), secure().into());
    // Of the relay's port they know nothing: it is not the host's.
    let open = ["22/tcp", "80/tcp", "443/tcp"].map(Value::from).to_vec();
    inventory.insert("firewall".into(), Table::from_iter([("open".to_owned(), open.into())]).into());
    let settings = [("password_authentication", Value::from(false)), ("root_login", "no".into())];
    inventory.insert("sshd".into(), Table::from_iter(settings.map(|(key, value)| (key.to_owned(), value))).into());
    Some(())
}
