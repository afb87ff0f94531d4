//! Whether challenges get through the policies as they live, now and at every renewal. Nothing is ordered or tried for it.

mod needs;

use ipnet::IpNet;
use serde_json::{Value, json};

use super::super::cert_manager;
use super::super::k3s::{NETWORKS, networks};
use super::super::object::{list, name, place, text};
use super::super::traefik;
use super::super::traffic::{End, Pod, Port, Side, barred};
use crate::inventory::Inventory;
use crate::model::{ApiQuestion, Finding, HostQuestion, Missing, Note, ObjectRef, Question, View};
use needs::Need;

/// Where solvers listen, and what that port is called (contract §3.5; cert-manager: pkg/issuer/acme/http/pod.go).
const SOLVER: Port<'_> = Port { protocol: "TCP", number: 8089, name: Some("http") };

/// Whether anything makes policies hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Controller {
    /// k3s' own, or that of a network of the user's.
    Runs,
    /// Nothing does.
    Disabled,
}

/// Between whom packets must pass.
#[derive(Clone, Debug)]
pub struct Ways {
    controller: Controller,
    /// Where pods are.
    pods: Vec<IpNet>,
    /// Where cert-manager must get.
    needs: Vec<Need>,
    api: Need,
}

impl Ways {
    /// As the inventory has them.
    pub fn of(inventory: &Inventory) -> Self {
        let pods = networks(&inventory.k3s, NETWORKS[0]);
        let set = |key: &str| inventory.k3s.0.get(key);
        let disabled = set("disable-network-policy").is_some_and(|flag| *flag == true);
        // Without flannel the network is the user's, and so is what its policies do.
        let others = set("flannel-backend").is_some_and(|backend| *backend == "none");
        let controller = if disabled && !others { Controller::Disabled } else { Controller::Runs };
        Self { controller, needs: needs::of(inventory, &pods), api: needs::api(inventory), pods }
    }

    /// What is to be said of policies that hold nobody back.
    pub fn without_effect(&self) -> Option<Note> {
        let fact = "k3s runs without its policy controller (disable-network-policy): no NetworkPolicy has an effect, and none is judged; what it \
                    enforced before it was disabled stays until the host is rebooted";
        (self.controller == Controller::Disabled).then(|| Note::Fact(fact.into()))
    }

    /// All policies of the cluster that have an effect.
    ///
    /// # Errors
    /// They can't be seen.
    fn policies<'a>(&self, seen: &View<'a>) -> Result<&'a [Value], Missing> {
        match self.controller {
            Controller::Runs => Ok(seen.list(&all_policies(), "")?.map(Vec::as_slice).unwrap_or_default()),
            Controller::Disabled => Ok(&[]),
        }
    }

    /// What keeps Traefik, at the solvers' side, from the solvers of a namespace; none: they let it in.
    ///
    /// # Errors
    /// Policies or pods can't be seen.
    pub fn at_solvers(&self, seen: &View<'_>, namespace: &str) -> Result<Option<Finding>, Missing> {
        let solver = self.solver(seen, namespace)?;
        for pod in traefik::pods(seen)? {
            let deny = barred(self.policies(seen)?, Side::Ingress, &solver, &traefik::end(seen, pod)?, SOLVER);
            if let Some(first) = deny.first() {
                let home = text(pod, "/metadata/namespace").unwrap_or_default();
                let what = format!("{} Traefik of {home} from cert-manager's solvers in {namespace} (TCP 8089){FAILS}", keeps(&deny));
                return Ok(Some(Finding::new(what, edit(first, "let it in to TCP 8089 of the pods that bear", ""))));
            }
        }
        Ok(None)
    }

    /// What keeps Traefik, at its own side, from the solvers of a namespace.
    ///
    /// # Errors
    /// Policies or pods can't be seen.
    pub fn at_traefik(&self, seen: &View<'_>, namespace: &str) -> Result<Option<Finding>, Missing> {
        let solver = self.solver(seen, namespace)?;
        for pod in traefik::pods(seen)? {
            let deny = barred(self.policies(seen)?, Side::Egress, &traefik::end(seen, pod)?, &solver, SOLVER);
            if let Some(first) = deny.first() {
                let what = format!("{} Traefik from cert-manager's solvers in {namespace} (TCP 8089){FAILS}", keeps(&deny));
                let end = format!(" in {namespace}");
                return Ok(Some(Finding::new(what, edit(first, "let it out to TCP 8089 of the pods that bear", &end))));
            }
        }
        Ok(None)
    }

    /// What keeps cert-manager from where it must get.
    ///
    /// # Errors
    /// Policies, pods or cert-manager can't be seen.
    pub fn at_cert_manager(&self, seen: &View<'_>) -> Result<Option<Finding>, Missing> {
        let Some(controller) = seen.object(&controller())? else { return Ok(None) };
        let labels = controller.pointer("/spec/template/metadata/labels").cloned().unwrap_or_default();
        let namespace = cert_manager::NAMESPACE;
        let own = Pod { namespace: namespace.into(), home: traefik::home(seen, namespace)?, labels };
        let own = End { pod: Some(own), nets: Vec::new() };
        let mut lacks = Vec::new();
        let mut deny = Vec::new();
        let mut api = self.api.clone();
        // A server may have more addresses than the inventory knows.
        api.to.nets.extend(seen.facts()?.addresses.iter().copied().map(IpNet::from));
        for need in self.needs.iter().chain([&api]) {
            let bars = barred(self.policies(seen)?, Side::Egress, &own, &need.to, need.port);
            // The sites' address is turned into Traefik's own on the way where the node answers for it.
            let passes = bars.is_empty() || need.port.number == 80 && self.reaches_traefik(seen, &own)?;
            if !passes {
                lacks.push(need.what.as_str());
                deny = bars;
            }
        }
        Ok(deny.first().map(|first| {
            let what = format!("{} cert-manager from {}{FAILS}", keeps(&deny), lacks.join(", "));
            Finding::new(what, format!("let it out there: kubectl -n {namespace} edit networkpolicy {}", name(first)))
        }))
    }

    /// What keeps Traefik from a solver that is there, at that one's side; none: it is let in.
    ///
    /// # Errors
    /// Policies or pods can't be seen.
    pub fn bars_solver(&self, seen: &View<'_>, solver: &Value) -> Result<Option<String>, Missing> {
        let own = End::of(solver, &traefik::home(seen, text(solver, "/metadata/namespace").unwrap_or_default())?);
        let ports = list(solver, "/spec/containers").flat_map(|container| list(container, "/ports"));
        let port =
            Port { name: ports.filter(|port| port["containerPort"] == SOLVER.number).find_map(|port| text(port, "/name")), ..SOLVER };
        for pod in traefik::pods(seen)? {
            let deny = barred(self.policies(seen)?, Side::Ingress, &own, &traefik::end(seen, pod)?, port);
            if !deny.is_empty() {
                return Ok(deny.first().map(|policy| place(policy)));
            }
        }
        Ok(None)
    }

    /// Any solver that cert-manager may put up there.
    fn solver(&self, seen: &View<'_>, namespace: &str) -> Result<End, Missing> {
        let labels = json!({ "acme.cert-manager.io/http01-solver": "true" });
        let pod = Pod { namespace: namespace.into(), home: traefik::home(seen, namespace)?, labels };
        Ok(End { pod: Some(pod), nets: self.pods.clone() })
    }

    /// Whether it may go to a port of Traefik's.
    fn reaches_traefik(&self, seen: &View<'_>, own: &End) -> Result<bool, Missing> {
        for pod in traefik::pods(seen)? {
            let to = traefik::end(seen, pod)?;
            for port in list(pod, "/spec/containers").flat_map(|container| list(container, "/ports")) {
                let number = port["containerPort"].as_u64().and_then(|number| u16::try_from(number).ok()).unwrap_or_default();
                let port = Port { protocol: port["protocol"].as_str().unwrap_or("TCP"), number, name: text(port, "/name") };
                if barred(self.policies(seen)?, Side::Egress, own, &to, port).is_empty() {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}

/// What it comes to.
const FAILS: &str = ": no challenge gets through, at no renewal either";

/// What must be known.
pub fn questions(seen: &View<'_>) -> Vec<Question> {
    let policies = Question::Api(ApiQuestion::List { of: all_policies(), selector: String::new() });
    let others = [policies, Question::Api(ApiQuestion::Object(controller())), seen.ask(HostQuestion::Facts)];
    traefik::questions().into_iter().chain(others).collect()
}

fn all_policies() -> ObjectRef {
    ObjectRef::every("networking.k8s.io/v1", "NetworkPolicy")
}

fn controller() -> ObjectRef {
    ObjectRef::new("apps/v1", "Deployment", cert_manager::NAMESPACE, "cert-manager")
}

fn keeps(policies: &[&Value]) -> String {
    let named: Vec<_> = policies.iter().map(|policy| place(policy)).collect();
    format!("{} {}", named.join(" and "), if policies.len() == 1 { "keeps" } else { "keep" })
}

fn edit(policy: &Value, what: &str, end: &str) -> String {
    let namespace = text(policy, "/metadata/namespace").unwrap_or_default();
    format!("{what} acme.cert-manager.io/http01-solver=true{end}: kubectl -n {namespace} edit networkpolicy {}", name(policy))
}
