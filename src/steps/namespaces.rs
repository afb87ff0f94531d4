//! Every namespace that the inventory names exists and carries our label. Foreign labels stay: we apply no other key.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;

use crate::inventory::{Inventory, JwtKeys};
use crate::model::{
    Action, ApiAction, ApiQuestion, Condition, MANAGED_BY, Missing, ObjectRef, Plan, Planned, Question, Scope, Step, StepId, View,
};

use super::cert_manager;
use super::changes::Changes;
use super::ours;

struct Namespaces {
    names: BTreeSet<String>,
}

/// One step for all of them; none if no namespace is named.
pub(super) fn steps(inventory: &Inventory) -> Vec<Box<dyn Step>> {
    let names: BTreeSet<String> = names(inventory).map(str::to_owned).collect();
    if names.is_empty() { Vec::new() } else { vec![Box::new(Namespaces { names })] }
}

/// All that bear our label.
pub(super) fn objects(inventory: &Inventory) -> impl Iterator<Item = ObjectRef> {
    names(inventory).map(object)
}

fn names(inventory: &Inventory) -> impl Iterator<Item = &str> {
    let keys = inventory.jwt_keys.iter().flat_map(JwtKeys::namespaces);
    let secrets = inventory.secrets.iter().map(|secret| secret.namespace.as_str());
    let releases = inventory.releases.iter().map(|release| release.namespace.as_str());
    let plays = inventory.plays.iter().flat_map(|play| play.namespaces.iter().map(String::as_str));
    let acme = inventory.wants_acme().then_some(cert_manager::NAMESPACE);
    keys.chain(secrets).chain(releases).chain(plays).chain(acme)
}

fn object(name: &str) -> ObjectRef {
    ObjectRef::new("v1", "Namespace", "", name)
}

impl Step for Namespaces {
    fn id(&self) -> StepId {
        StepId::of("namespaces")
    }

    fn scope(&self) -> Scope {
        Scope::Cluster
    }

    fn questions(&self, _: &View<'_>) -> Vec<Question> {
        self.names.iter().map(|name| Question::Api(ApiQuestion::Object(object(name)))).collect()
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        let mut changes = Changes::default();
        for name in &self.names {
            let reason = match seen.object(&object(name))? {
                None => format!("namespace {name} is absent"),
                Some(live) if live.pointer("/metadata/deletionTimestamp").is_some() => return Ok(ending(name).into()),
                Some(live) if live["metadata"]["labels"][MANAGED_BY.0] != MANAGED_BY.1 => format!("namespace {name} lacks our label"),
                Some(_) => continue,
            };
            changes.add(reason, Action::Api(ApiAction::Apply(ours::manifest("namespace.yaml", &json!({ "name": name }))?)));
        }
        Ok(changes.into())
    }
}

fn ending(name: &str) -> Plan {
    Plan::Wait(Condition {
        what: format!("namespace {name} is gone, to be made anew"),
        seen: "someone deleted it and its objects are still ending".into(),
        cure: format!("see what holds it: kubectl get namespace {name} -o jsonpath='{{.status.conditions}}'"),
        within: Duration::from_secs(60),
    })
}
