//! A responder comes up: its Job, then its pod. A quota or an admission rule that refuses the pod would refuse cert-manager's solver.

use serde_json::Value;

use crate::model::{Action, ApiAction, ApiQuestion, Missing, ObjectRef, Plan, Planned, Question, View};

use super::super::workloads::pods::{self, Pod};
use super::objects::{self, Responder};
use super::{Due, Occasion, STARTS, waiting};

/// On pods of Jobs and of cert-manager.
const SOLVERS: &str = "acme.cert-manager.io/http01-solver=true";

/// Puts up what lacks.
///
/// # Errors
/// cert-manager can't be seen.
pub fn start(seen: &View<'_>, lacking: &[&Due<'_>], occasion: Occasion) -> Result<Planned, Missing> {
    let Some(image) = objects::image(seen)? else {
        let what = format!("{} says which image its solvers have", objects::controller());
        let cure = format!("its chart sets the argument --acme-http01-solver-image{}", occasion.around());
        return Ok(waiting(what, "it does not".into(), cure, STARTS).into());
    };
    let (mut actions, mut reasons) = (Vec::new(), Vec::new());
    for due in lacking {
        let job = objects::job(due.site.carrier.namespace(), due.name, image)?;
        actions.push(Action::Api(ApiAction::Apply(job)));
        reasons.push(occasion.asks(due.name));
    }
    Ok(Planned::act(actions, reasons))
}

/// What must be known of its pod.
pub fn questions(responder: &Responder<'_>) -> Vec<Question> {
    let namespace = &responder.job.namespace;
    [(pods::all(namespace), SOLVERS), (events(namespace), "")]
        .map(|(of, selector)| Question::Api(ApiQuestion::List { of, selector: selector.into() }))
        .into()
}

fn events(namespace: &str) -> ObjectRef {
    ObjectRef::new("v1", "Event", namespace, "")
}

/// What lacks until its pod runs; none: it does.
///
/// # Errors
/// Pods or events can't be seen.
pub fn unstarted(seen: &View<'_>, responder: &Responder<'_>, occasion: Occasion) -> Result<Option<Plan>, Missing> {
    let namespace = &responder.job.namespace;
    let pods = seen.list(&pods::all(namespace), SOLVERS)?.into_iter().flatten();
    let own =
        |pod: &&Value| pod["metadata"]["ownerReferences"].as_array().is_some_and(|all| all.iter().any(|one| one["uid"] == responder.token));
    let pod = pods.filter(own).find(|pod| pod["metadata"].get("deletionTimestamp").is_none());
    let (told, cure) = match pod {
        Some(pod) if pod["status"]["phase"] == "Running" && Pod::of(pod).trouble().is_none() => return Ok(None),
        Some(pod) => (Pod::of(pod).trouble(), format!("kubectl -n {namespace} describe pod {}", Pod::of(pod).name())),
        None => (
            refused(seen, responder)?,
            format!("let pods like cert-manager's solvers in: kubectl -n {namespace} get resourcequotas,limitranges,events"),
        ),
    };
    let what = format!("a responder for {} runs in {namespace}", responder.domain);
    Ok(Some(waiting(what, told.unwrap_or_else(|| "its pod is starting".into()), format!("{cure}{}", occasion.around()), STARTS)))
}

/// Why the Job may make no pod, as the API server told its controller.
fn refused(seen: &View<'_>, responder: &Responder<'_>) -> Result<Option<String>, Missing> {
    let mut events = seen.list(&events(&responder.job.namespace), "")?.into_iter().flatten();
    let own = |event: &&Value| event["involvedObject"]["uid"] == responder.token && event["reason"] == "FailedCreate";
    Ok(events.rfind(own).and_then(|event| Some(event["message"].as_str()?.to_owned())))
}
