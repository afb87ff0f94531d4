//! Objects that bedplate itself writes, from their templates.

use serde::Serialize;

use crate::model::{ApiQuestion, Finding, Manifest, Missing, Question, Why};
use crate::template;

/// The object that a template makes.
///
/// # Errors
/// The template is wrong, which its test would have shown: the step is blocked and says so.
pub fn manifest(template: &str, context: &impl Serialize) -> Result<Manifest, Missing> {
    read(template, context).map_err(|finding| Missing { question: Question::Api(ApiQuestion::Ready), why: Why::Unreadable(finding.what) })
}

fn read(name: &str, context: &impl Serialize) -> Result<Manifest, Finding> {
    let text = template::render(name, context)?;
    let bug = |why: String| Finding::new(format!("template {name}: {why}"), "this is a bug of bedplate; please report it");
    let body = serde_saphyr::from_str(&text).map_err(|error| bug(error.to_string()))?;
    Manifest::new(body).ok_or_else(|| bug("it makes no object".into()))
}
