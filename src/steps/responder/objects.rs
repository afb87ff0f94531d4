//! A responder's objects. Its Job owns the others and ends by itself; the Job's uid, which the API server draws at random, is the token.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::model::{ApiQuestion, Manifest, Missing, ObjectRef, Question, View};

use super::super::cert_manager;
use super::super::ours;

/// On every Job of ours that answers challenges.
const SELECTOR: &str = "bedplate.dev/probe=challenge";
/// On a Job: for which name it answers.
const DOMAIN: &str = "bedplate.dev/domain";
/// How cert-manager's controller is told the image of its solvers (its chart: templates/deployment.yaml).
const IMAGE: &str = "--acme-http01-solver-image=";

/// A Job that is there.
pub struct Responder<'a> {
    /// Which one.
    pub job: ObjectRef,
    /// For which name it answers.
    pub domain: &'a str,
    /// The Job's uid.
    pub token: &'a str,
    /// It is being deleted.
    pub goes: bool,
}

/// All of them, of whichever run and site.
pub fn question() -> Question {
    Question::Api(ApiQuestion::Metadata { of: jobs(), selector: SELECTOR.into() })
}

fn jobs() -> ObjectRef {
    ObjectRef::every("batch/v1", "Job")
}

/// What `question` brought.
///
/// # Errors
/// They can't be seen.
pub fn live<'a>(seen: &View<'a>) -> Result<Vec<Responder<'a>>, Missing> {
    let responder = |job: &'a Value| {
        let metadata = &job["metadata"];
        let text = |value: &'a Value| value.as_str().unwrap_or_default();
        Responder {
            job: ObjectRef::new("batch/v1", "Job", text(&metadata["namespace"]), text(&metadata["name"])),
            domain: text(&metadata["annotations"][DOMAIN]),
            token: text(&metadata["uid"]),
            goes: metadata.get("deletionTimestamp").is_some(),
        }
    };
    Ok(seen.metadata(&jobs(), SELECTOR)?.into_iter().flatten().map(responder).collect())
}

/// Who knows the image.
pub fn controller() -> ObjectRef {
    ObjectRef::new("apps/v1", "Deployment", cert_manager::NAMESPACE, "cert-manager")
}

/// The image of cert-manager's own solvers; none: its controller does not say.
///
/// # Errors
/// The controller can't be seen.
pub fn image<'a>(seen: &View<'a>) -> Result<Option<&'a str>, Missing> {
    let Some(controller) = seen.object(&controller())? else { return Ok(None) };
    let containers = controller.pointer("/spec/template/spec/containers").and_then(Value::as_array);
    let arguments = containers.into_iter().flatten().filter_map(|container| container["args"].as_array()).flatten();
    Ok(arguments.filter_map(Value::as_str).find_map(|argument| argument.strip_prefix(IMAGE)))
}

/// The Job that answers for a name.
///
/// # Errors
/// The template is wrong.
pub fn job(namespace: &str, domain: &str, image: &str) -> Result<Manifest, Missing> {
    let digest = format!("{:x}", Sha256::digest(domain));
    let name = format!("bedplate-probe-{digest:.10}");
    let context = json!({ "name": name, "namespace": namespace, "domain": domain, "hash": hash(domain), "image": image });
    ours::manifest("responder-job.yaml", &context)
}

impl Responder<'_> {
    /// The Service and the Ingress that lead to it. Each Job has its own: what an earlier one leaves to be collected is in nobody's way.
    ///
    /// # Errors
    /// A template is wrong.
    pub fn way(&self) -> Result<[Manifest; 2], Missing> {
        let name = format!("bedplate-probe-{:.8}", self.token);
        let context = json!({
            "name": name, "namespace": self.job.namespace, "job": self.job.name,
            "domain": self.domain, "hash": hash(self.domain), "token": self.token,
        });
        Ok([ours::manifest("responder-service.yaml", &context)?, ours::manifest("responder-ingress.yaml", &context)?])
    }

    /// Where a CA would look.
    pub fn url(&self) -> String {
        format!("http://{}/.well-known/acme-challenge/{}", self.domain, self.token)
    }

    /// What it answers there.
    pub fn key(&self) -> String {
        format!("{}.bedplate", self.token)
    }
}

/// As cert-manager hashes what does not fit into a label.
fn hash(text: &str) -> String {
    adler2::adler32_slice(text.as_bytes()).to_string()
}
