//! Secrets filtered out of `.env` files hold exactly the keys that the inventory allows (S3-51..56). Values are compared in memory and
//! never shown: a plan says which keys are added, changed or removed.

use std::collections::BTreeMap;

use crate::inventory::{Inventory, SecretSource};
use crate::model::{
    Action, ApiAction, ApiQuestion, Finding, LiveSecret, Missing, OperatorQuestion, Plan, Planned, Question, Scope, Secret,
    SecretKind, SecretSpec, Step, StepId, View,
};

struct EnvSecret(SecretSource);

/// One step a `[[secrets]]`.
pub(super) fn steps(inventory: &Inventory) -> Vec<Box<dyn Step>> {
    inventory.secrets.iter().map(|source| Box::new(EnvSecret(source.clone())) as Box<dyn Step>).collect()
}

impl Step for EnvSecret {
    fn id(&self) -> StepId {
        StepId::named("secret", format!("{}/{}", self.0.namespace, self.0.name))
    }

    fn scope(&self) -> Scope {
        Scope::Cluster
    }

    fn questions(&self, _: &View<'_>) -> Vec<Question> {
        let live = ApiQuestion::Secret { namespace: self.0.namespace.clone(), name: self.0.name.clone() };
        let file = self.0.env_file.clone().map(|path| Question::Operator(OperatorQuestion::EnvFile(path)));
        [Question::Api(live)].into_iter().chain(file).collect()
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        let data = match self.wanted(seen)? {
            Ok(data) => data,
            Err(findings) => return Ok(Plan::Unmet(findings).into()),
        };
        let live = seen.secret(&self.0.namespace, &self.0.name)?;
        let reasons = differences(live, &data);
        if reasons.is_empty() {
            return Ok(Plan::Converged.into());
        }
        let removed = live.into_iter().flat_map(|live| live.data.keys()).filter(|key| !data.contains_key(*key)).cloned().collect();
        let spec = SecretSpec {
            namespace: self.0.namespace.clone(),
            name: self.0.name.clone(),
            kind: SecretKind::Opaque,
            data,
            removed,
            resource_version: live.map(|live| live.resource_version.clone()),
        };
        Ok(Planned::act(vec![Action::Api(ApiAction::PutSecret(spec))], reasons))
    }
}

impl EnvSecret {
    /// The exact data, or the keys that lack. A key that may be empty is written even when the file lacks it, so that
    /// the set of keys never depends on the file.
    fn wanted(&self, seen: &View<'_>) -> Result<Result<BTreeMap<String, Secret>, Vec<Finding>>, Missing> {
        let mut data: BTreeMap<String, Secret> =
            self.0.public.iter().map(|(key, value)| (key.clone(), Secret::new(value.as_bytes()))).collect();
        let Some(path) = &self.0.env_file else { return Ok(Ok(data)) };
        let Some(env) = seen.env_file(path)? else {
            return Ok(Err(vec![Finding::new(format!("{} is not there", path.display()), "write it, or name another env_file")]));
        };
        let mut lacking = Vec::new();
        for key in &self.0.allow {
            let value = env.get(key).filter(|value| !value.expose().is_empty());
            match value {
                Some(value) => drop(data.insert(key.clone(), value.clone())),
                None if self.0.may_be_empty.contains(key) => drop(data.insert(key.clone(), Secret::new(""))),
                None => lacking.push(Finding::new(
                    format!("{key} lacks a value in {}", path.display()),
                    format!("set {key}, or list it in may_be_empty of secret {}", self.0.name),
                )),
            }
        }
        Ok(if lacking.is_empty() { Ok(data) } else { Err(lacking) })
    }
}

/// Names of keys that differ, never values.
pub(super) fn differences(live: Option<&LiveSecret>, wanted: &BTreeMap<String, Secret>) -> Vec<String> {
    let Some(live) = live else {
        return vec![format!("it is absent; keys: {}", wanted.keys().cloned().collect::<Vec<_>>().join(", "))];
    };
    let added = wanted.keys().filter(|key| !live.data.contains_key(*key)).map(|key| format!("{key} is added"));
    let changed = wanted
        .iter()
        .filter(|(key, value)| live.data.get(*key).is_some_and(|now| now != *value))
        .map(|(key, _)| format!("{key} is changed"));
    let removed = live.data.keys().filter(|key| !wanted.contains_key(*key)).map(|key| format!("{key} is removed"));
    added.chain(changed).chain(removed).collect()
}
