//! What a HorizontalPodAutoscaler scales is its own: `replicas` that a chart sets beside it is no drift. It is said, since helm puts it
//! back at every upgrade.

use serde_json::Value;

use crate::model::{ApiQuestion, DryRun, Finding, Manifest, Missing, Note, ObjectRef, Question, View};

const REPLICAS: &str = "/spec/replicas";

fn autoscalers(namespace: &str) -> ObjectRef {
    ObjectRef::new("autoscaling/v2", "HorizontalPodAutoscaler", namespace, "")
}

/// How many the chart wants and how many there are, where they differ. None at all is nobody's but who scaled it down: an autoscaler
/// leaves it alone then.
fn scaled<'a>(manifest: &'a Manifest, dry_run: &'a DryRun) -> Option<(&'a Value, &'a Value)> {
    let (wanted, live) = (manifest.body().pointer(REPLICAS)?, dry_run.live.as_ref()?.pointer(REPLICAS)?);
    (wanted != live && *live != 0).then_some((wanted, live))
}

/// Who may have scaled what differs.
pub fn questions(seen: &View<'_>, manifests: impl Iterator<Item = Manifest>) -> Vec<Question> {
    let differs = |manifest: &Manifest| seen.dry_run(manifest).ok().flatten().is_some_and(|dry_run| scaled(manifest, dry_run).is_some());
    let asked = manifests.filter(differs).map(|manifest| autoscalers(&manifest.object().namespace));
    asked.map(|of| Question::Api(ApiQuestion::List { of, selector: String::new() })).collect()
}

/// The dry run without what an autoscaler scaled, and what is said of that; none: it scales nothing here.
///
/// # Errors
/// The autoscalers can't be seen.
pub fn left_out(seen: &View<'_>, manifest: &Manifest, dry_run: &DryRun) -> Result<Option<(DryRun, Note)>, Missing> {
    let Some((wanted, live)) = scaled(manifest, dry_run) else { return Ok(None) };
    let object = manifest.object();
    let scales = |autoscaler: &&Value| {
        let target = &autoscaler["spec"]["scaleTargetRef"];
        target["kind"] == object.kind && target["name"] == object.name
    };
    let Some(autoscaler) = seen.list(&autoscalers(&object.namespace), "")?.into_iter().flatten().find(scales) else { return Ok(None) };
    let name = autoscaler["metadata"]["name"].as_str().unwrap_or_default();
    let note = Note::Warning(Finding::new(
        format!("{object}: spec.replicas is {live} by its autoscaler {name}, and {wanted} in the chart"),
        "leave `replicas` out of the chart where an autoscaler is: helm puts it back at every upgrade",
    ));
    let mut left = dry_run.clone();
    if let Some(merged) = left.merged.pointer_mut(REPLICAS) {
        merged.clone_from(live);
    }
    Ok(Some((left, note)))
}
