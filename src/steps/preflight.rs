//! `preflight`: whether the host can carry k3s, judged before anything is changed. One function a check.

mod findings;
mod former;
mod machine;
mod names;
mod network;
mod ports;

use crate::inventory::{Connection, Host, Inventory, Role};
use crate::model::{HostId, HostQuestion, Missing, Planned, Question, Scope, Step, StepId, View};
use findings::Findings;

struct Preflight {
    inventory: Inventory,
    host: Host,
}

/// One a host.
pub fn steps(inventory: &Inventory) -> Vec<Box<dyn Step>> {
    let step = |host: &Host| Preflight { inventory: inventory.clone(), host: host.clone() };
    inventory.hosts.iter().map(|host| Box::new(step(host)) as Box<dyn Step>).collect()
}

impl Preflight {
    /// Whether visitors and the API's users come in here.
    fn is_entrance(&self) -> bool {
        self.host.role == Role::Server
    }
}

impl Step for Preflight {
    fn id(&self) -> StepId {
        StepId::of("preflight")
    }

    fn scope(&self) -> Scope {
        Scope::Host(HostId(self.host.name.clone()))
    }

    fn questions(&self, seen: &View<'_>) -> Vec<Question> {
        let mut questions = vec![seen.ask(HostQuestion::Facts), seen.ask(HostQuestion::Listeners)];
        questions.extend(former::questions(seen, &self.host));
        if self.is_entrance() {
            questions.extend(names::questions(&self.inventory, seen));
        }
        questions
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        let facts = seen.facts()?;
        let keys = &self.inventory.k3s;
        let former = former::look(seen, self.host.role)?;
        let mut findings = Findings::default();
        machine::system(facts, &mut findings);
        machine::cgroups(facts, &self.inventory, &mut findings);
        machine::size(facts, self.host.role, &mut findings);
        machine::clock(facts, &mut findings);
        network::default_route(facts, &mut findings);
        network::overlaps(facts, keys, former, &mut findings);
        if self.is_entrance() && self.host.connection == Connection::Ssh {
            network::forwarding(facts, &mut findings);
        }
        network::firewall(facts, keys, &mut findings);
        ports::held(seen.listeners()?.map(Vec::as_slice).unwrap_or_default(), keys, self.host.role, &mut findings);
        former::foreign(former, &self.inventory, &self.host, seen, &mut findings)?;
        if self.is_entrance() {
            names::resolve(&self.inventory, &self.host, seen, &mut findings)?;
        }
        Ok(findings.into())
    }
}
