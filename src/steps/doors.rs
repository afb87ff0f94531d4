//! `doors`: which ports of a public host answer from outside. To close them is `firewall`'s, or somebody else's. The port of ssh is
//! not tried: an sshd punishes whoever connects and does not log in.

mod door;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::k3s::api_port;
use crate::inventory::{Access, Connection, Firewall, Host, Inventory, Role, is_private};
use crate::model::{
    ApiQuestion, Finding, HostId, Missing, Note, ObjectRef, OutsideQuestion, Plan, Planned, Question, Scope, Step, StepId, View, Why,
};
use door::{Door, For};

/// Where ssh listens unless the inventory says otherwise.
const SSH: u16 = 22;

struct Doors {
    host: HostId,
    address: IpAddr,
    /// What k3s and its ingress open there.
    own: BTreeMap<u16, Door>,
    ssh: u16,
    /// What [firewall] leaves open; none: there is none.
    left: Option<BTreeSet<u16>>,
}

/// One a host that the world can reach and that bedplate sees as the world does: not from itself, nor by a private address.
pub fn steps(inventory: &Inventory) -> Vec<Box<dyn Step>> {
    let mut steps: Vec<Box<dyn Step>> = Vec::new();
    let mut known = Vec::new();
    for host in inventory.hosts.iter().filter(|host| host.connection == Connection::Ssh) {
        let Some(address) = host.visible_ip().filter(|ip| !is_private(*ip) && !known.contains(ip)) else { continue };
        // Behind one address several hosts can't be told apart.
        known.push(address);
        let ssh = host.port.unwrap_or(SSH);
        let left = inventory.firewall.as_ref().map(Firewall::tcp);
        steps.push(Box::new(Doors { host: HostId(host.name.clone()), address, own: own(inventory, host), ssh, left }));
    }
    steps
}

/// Of UDP nothing can be told: what is open is as silent as what is not.
fn own(inventory: &Inventory, host: &Host) -> BTreeMap<u16, Door> {
    let mut own: BTreeMap<u16, Door> = [80, 443].map(|port| (port, Door::new("ingress", For::Visitors))).into();
    own.insert(10250, Door::new("kubelet", For::Nodes));
    if host.role == Role::Server {
        let direct = inventory.kubeconfig.access == Access::Direct;
        let whom = if direct { For::Visitors } else { For::Tunnel };
        own.extend(u16::try_from(api_port(&inventory.k3s)).map(|port| (port, Door::new("API server", whom))));
        own.extend([2379, 2380].map(|port| (port, Door::new("etcd", For::Nodes))));
    }
    own
}

fn services() -> ObjectRef {
    ObjectRef::every("v1", "Service")
}

impl Step for Doors {
    fn id(&self) -> StepId {
        StepId::of("doors")
    }

    fn scope(&self) -> Scope {
        Scope::Host(self.host.clone())
    }

    fn questions(&self, seen: &View<'_>) -> Vec<Question> {
        // k3s' own ports are not kept waiting for the API server.
        let doors = self.doors(seen).unwrap_or_else(|_| self.own.clone());
        let knock = |port: u16| Question::Outside(OutsideQuestion::Knock { address: self.address, port });
        let list = Question::Api(ApiQuestion::List { of: services(), selector: String::new() });
        doors.into_keys().filter(|port| *port != self.ssh).map(knock).chain([list]).collect()
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        let mut open = BTreeMap::new();
        let mut unseen = None;
        for (port, door) in self.doors(seen)?.into_iter().filter(|(port, _)| *port != self.ssh) {
            match seen.knocked(self.address, port) {
                Ok(true) => _ = open.insert(port, door),
                Ok(false) => {}
                Err(Missing { why: Why::Unreadable(why), .. }) => unseen = Some(why),
                Err(missing) => return Err(missing),
            }
        }
        let mut notes = vec![Note::Fact(self.told(&open, unseen.as_deref()))];
        let ajar = match &self.left {
            Some(left) => self.ajar(&open, left),
            None => {
                notes.extend(
                    [For::Tunnel, For::Nodes, For::NodePort, For::Balancer].into_iter().filter_map(|whom| self.warning(&open, whom)),
                );
                None
            }
        };
        let plan = ajar.map_or(Plan::Converged, |finding| Plan::Unmet(vec![finding]));
        Ok(Planned::from(plan).with_notes(notes))
    }
}

impl Doors {
    /// What answers though [firewall] does not open it.
    fn ajar(&self, open: &BTreeMap<u16, Door>, left: &BTreeSet<u16>) -> Option<Finding> {
        let named = named(open.iter().filter(|(port, _)| !left.contains(port)))?;
        let what = format!("{} answers from outside on {named}, which [firewall] closes", self.address);
        Some(Finding::new(
            what,
            "if `bedplate bootstrap` does not close it, something in front of the host answers: a router, a load balancer",
        ))
    }

    /// Those of k3s and those that services open on every node.
    ///
    /// # Errors
    /// The services can't be seen.
    fn doors(&self, seen: &View<'_>) -> Result<BTreeMap<u16, Door>, Missing> {
        let services = seen.list(&services(), "")?.map(Vec::as_slice).unwrap_or_default();
        let mut doors: BTreeMap<u16, Door> = services.iter().flat_map(door::of_service).collect();
        doors.extend(self.own.clone());
        Ok(doors)
    }

    fn told(&self, open: &BTreeMap<u16, Door>, unseen: Option<&str>) -> String {
        let address = self.address;
        match unseen {
            Some(why) => format!("which ports of {address} answer from outside can't be seen from here: {why}"),
            None if open.is_empty() => format!("{address} answers nothing from outside; the port of ssh is not tried"),
            None => format!("{address} answers from outside on {}; the port of ssh is not tried", door::listed(open.keys())),
        }
    }

    /// What answers and is not for everybody.
    fn warning(&self, open: &BTreeMap<u16, Door>, whom: For) -> Option<Note> {
        let cure = whom.cure()?;
        let named = named(open.iter().filter(|(_, door)| door.whom == whom))?;
        Some(Note::Warning(Finding::new(format!("{} answers from outside on {named}", self.address), cure)))
    }
}

/// Ports, each with what opens it, if there are any.
fn named<'a>(doors: impl Iterator<Item = (&'a u16, &'a Door)>) -> Option<String> {
    let named: Vec<String> = doors.map(|(port, door)| format!("{port} ({})", door.what)).collect();
    (!named.is_empty()).then(|| door::listed(named))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_private_has_the_address_of_another_or_is_this_machine_is_not_asked() {
        let scopes = |text| -> Vec<Scope> { steps(&toml::from_str(text).unwrap()).iter().map(|step| step.scope()).collect() };
        assert_eq!(scopes(include_str!("../../tests/cases/inventories/edge.toml")), [Scope::Host(HostId("edge".into()))]);
        assert_eq!(scopes(include_str!("../../tests/cases/inventories/bare.toml")), []);
        assert_eq!(scopes(include_str!("../../tests/cases/inventories/local.toml")), []);
    }
}
