//! Objects that bedplate itself writes, from their templates, and those that bear their names though somebody else made them.

use serde::Serialize;

use super::drift;
use crate::model::{ApiQuestion, Finding, MANAGED_BY, Manifest, Missing, Plan, Question, View, Why};
use crate::template;

/// The object that a template makes.
///
/// # Errors
/// The template is wrong, which its test would have shown: the step is blocked and says so.
pub fn manifest(template: &str, context: &impl Serialize) -> Result<Manifest, Missing> {
    read(template, context).map_err(|finding| Missing { question: Question::Api(ApiQuestion::Ready), why: Why::Unreadable(finding.what) })
}

/// What lies where one of ours must lie, and was made by somebody else: nothing of it is touched unless the user gives it to us.
///
/// # Errors
/// One of them can't be seen.
pub fn foreign(manifests: &[Manifest], seen: &View<'_>) -> Result<Option<Plan>, Missing> {
    let mut findings = Vec::new();
    for manifest in manifests {
        let dry_run = seen.dry_run(manifest)?;
        let Some(live) = dry_run.and_then(|dry_run| dry_run.live.as_ref()) else { continue };
        let (object, differences) = (manifest.object(), drift::differences(manifest.object(), dry_run));
        if live["metadata"]["labels"][MANAGED_BY.0] != MANAGED_BY.1 && !differences.is_empty() {
            let changes: String = differences.iter().map(|line| format!("\n    {line}")).collect();
            let cure = format!("run with --adopt to take it over, or move it away; what that would change:{changes}");
            findings.push(Finding::new(format!("{object} is there, and bedplate did not make it"), cure));
        }
    }
    Ok((!findings.is_empty()).then_some(Plan::Unmet(findings)))
}

fn read(name: &str, context: &impl Serialize) -> Result<Manifest, Finding> {
    let text = template::render(name, context)?;
    let bug = |why: String| Finding::new(format!("template {name}: {why}"), "this is a bug of bedplate; please report it");
    let body = serde_saphyr::from_str(&text).map_err(|error| bug(error.to_string()))?;
    Manifest::new(body).ok_or_else(|| bug("it makes no object".into()))
}
