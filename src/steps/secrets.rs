//! Secrets hold exactly the keys that the inventory names. Values are compared in memory and never shown: a plan says
//! which keys are added, changed or removed.

use std::collections::BTreeMap;

use crate::inventory::{Consent, Inventory, SecretSource};
use crate::model::{
    Action, ApiAction, ApiQuestion, Finding, LiveSecret, MADE_UP, MANAGED_BY, Missing, OperatorQuestion, Plan, Planned, Question, REVISION,
    Scope, Secret, SecretKind, SecretSpec, Step, StepId, View,
};

mod data;

struct Wanted {
    source: SecretSource,
    /// The inventory's own placeholders.
    placeholders: Vec<String>,
    adopts: bool,
}

type Data = BTreeMap<String, Secret>;

/// One step a `[[secrets]]`.
pub(super) fn steps(inventory: &Inventory) -> Vec<Box<dyn Step>> {
    let wanted = |source: &SecretSource| Wanted {
        source: source.clone(),
        placeholders: inventory.placeholders.clone(),
        adopts: inventory.consents.contains(&Consent::Adopt),
    };
    inventory.secrets.iter().map(|source| Box::new(wanted(source)) as Box<dyn Step>).collect()
}

impl Step for Wanted {
    fn id(&self) -> StepId {
        StepId::named("secret", format!("{}/{}", self.source.namespace, self.source.name))
    }

    fn scope(&self) -> Scope {
        Scope::Cluster
    }

    fn questions(&self, _: &View<'_>) -> Vec<Question> {
        let SecretSource { namespace, name, env_file, files, commands, .. } = &self.source;
        let live = ApiQuestion::Secret { namespace: namespace.clone(), name: name.clone() };
        let env = (!env_file.is_empty()).then(|| OperatorQuestion::EnvFiles(env_file.clone()));
        let files = files.values().map(|path| OperatorQuestion::File(path.clone()));
        let outputs = commands.values().cloned().map(OperatorQuestion::Output);
        [Question::Api(live)].into_iter().chain(env.into_iter().chain(files).chain(outputs).map(Question::Operator)).collect()
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        let unused = self.unused(seen.secret(&self.source.namespace, &self.source.name).ok().flatten());
        Ok(self.settle(seen)?.with_notes(unused))
    }
}

impl Wanted {
    fn settle(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        let mut data = match self.data(seen)? {
            Ok(data) => data,
            Err(findings) => return Ok(Plan::Unmet(findings).into()),
        };
        let live = seen.secret(&self.source.namespace, &self.source.name)?;
        let made = self.made(live, &mut data);
        let untyped = self.typed(live, &mut data);
        if !untyped.is_empty() {
            return Ok(Plan::Unmet(untyped).into());
        }
        if let Some(lost) = live.and_then(|live| self.lost(live, &data)) {
            return Ok(Plan::Unmet(vec![lost]).into());
        }
        let annotations = self.noted(live);
        let mut reasons = differences(live, &data);
        reasons.extend(made.keys().map(|key| format!("{key} is made up")));
        if live.is_some() && !reasons.is_empty() {
            reasons.extend(self.source.workloads().map(|workload| format!("{workload} is restarted then")));
        }
        if let (Some(_), Some(Some(keys))) = (live, annotations.get(MADE_UP)) {
            reasons.push(format!("it is noted which values were made up: {keys}"));
        }
        match live {
            Some(live) if !is_ours(live) && !self.adopts => return Ok(Plan::Unmet(vec![foreign(live, adoption(&reasons))]).into()),
            Some(live) if !is_ours(live) => reasons.insert(0, "it is taken over".into()),
            Some(live) if !is_labelled(live) => reasons.push(format!("our label {} is gone", MANAGED_BY.0)),
            _ => {}
        }
        if reasons.is_empty() {
            return Ok(Plan::Converged.into());
        }
        let spec = SecretSpec {
            namespace: self.source.namespace.clone(),
            name: self.source.name.clone(),
            kind: SecretKind::Opaque,
            data,
            annotations,
            resource_version: live.map(|live| live.resource_version.clone()),
        };
        let action = if made.is_empty() { ApiAction::PutSecret(spec) } else { ApiAction::MakeUp(spec, made) };
        Ok(Planned::act(vec![Action::Api(action)], reasons))
    }

    /// What was made up goes by no edit of the inventory alone.
    fn lost(&self, live: &LiveSecret, data: &Data) -> Option<Finding> {
        let made = live.annotations.get(MADE_UP)?.split(',').filter_map(|key| live.data.get_key_value(key));
        let lost: Vec<&str> = made.filter(|(key, value)| data.get(*key) != Some(value)).map(|(key, _)| key.as_str()).collect();
        let SecretSource { namespace, name, .. } = &self.source;
        (!lost.is_empty()).then(|| {
            Finding::new(
                format!("{} was made up and lies nowhere else, and the inventory would remove or replace it", lost.join(", ")),
                format!(
                    "keep it in `generate`; or, once nothing needs its value any more: kubectl -n {namespace} annotate secret {name} {MADE_UP}-"
                ),
            )
        })
    }

    /// What must be noted anew of what was made up.
    fn noted(&self, live: Option<&LiveSecret>) -> BTreeMap<String, Option<String>> {
        let keys = self.source.generate.keys().map(String::as_str).collect::<Vec<_>>().join(",");
        let wanted = Some(keys).filter(|keys| !keys.is_empty());
        let noted = live.and_then(|live| live.annotations.get(MADE_UP));
        if wanted.as_ref() == noted { BTreeMap::new() } else { [(MADE_UP.to_owned(), wanted)].into() }
    }
}

/// A Secret of somebody else's where one of ours must lie.
pub(super) fn foreign(live: &LiveSecret, cure: String) -> Finding {
    let keys = live.data.keys().cloned().collect::<Vec<_>>().join(", ");
    Finding::new(format!("a secret of this name is there, and bedplate did not make it; keys: {keys}"), cure)
}

/// What lets us have it, and what that changes.
pub(super) fn adoption(reasons: &[String]) -> String {
    let change = if reasons.is_empty() { "its data is what is wanted".to_owned() } else { reasons.join(", ") };
    format!("run with --adopt to take it over ({change}), or give yours another name")
}

/// Our label, or our annotation if somebody took the label away.
pub(super) fn is_ours(live: &LiveSecret) -> bool {
    is_labelled(live) || live.annotations.contains_key(REVISION)
}

/// Whether it bears our label.
pub(super) fn is_labelled(live: &LiveSecret) -> bool {
    live.labels.get(MANAGED_BY.0).is_some_and(|label| label == MANAGED_BY.1)
}

/// Names of keys that differ, never values.
pub(super) fn differences(live: Option<&LiveSecret>, wanted: &Data) -> Vec<String> {
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
