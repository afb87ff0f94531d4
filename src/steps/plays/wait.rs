//! An object of a playbook is ready: a workload rolled out, anything else with its condition `Ready`.

use serde_json::Value;

use crate::model::{ApiQuestion, Condition, Missing, Plan, Planned, Question, Scope, Step, StepId, View};
use crate::playbook;

use super::super::object::condition;
use super::super::rollout;

/// Waits for one object.
pub struct Wait {
    /// Playbook and place in it.
    pub name: String,
    /// For what, and how long.
    pub part: playbook::Wait,
}

impl Step for Wait {
    fn id(&self) -> StepId {
        StepId::named("wait", &self.name)
    }

    fn scope(&self) -> Scope {
        Scope::Cluster
    }

    fn questions(&self, _: &View<'_>) -> Vec<Question> {
        vec![Question::Api(ApiQuestion::Object(self.part.object.clone()))]
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        let object = &self.part.object;
        let missing = seen.object(object)?.map_or_else(|| Some("it is absent".to_owned()), unready);
        Ok(match missing {
            None => Plan::Converged.into(),
            Some(missing) => Plan::Wait(Condition {
                what: format!("{object} is ready"),
                seen: missing,
                cure: format!("kubectl -n {} describe {} {}", object.namespace, object.kind.to_lowercase(), object.name),
                within: self.part.within,
            })
            .into(),
        })
    }
}

fn unready(live: &Value) -> Option<String> {
    if live["kind"].as_str().is_some_and(|kind| rollout::KINDS.contains(&kind)) {
        return rollout::unfinished(live);
    }
    match condition(live, "Ready") {
        None => Some("it has no condition Ready yet".into()),
        Some(ready) if ready["status"] == "True" => None,
        Some(ready) => {
            Some(format!("Ready is {}: {}", ready["status"].as_str().unwrap_or_default(), ready["message"].as_str().unwrap_or_default()))
        }
    }
}
