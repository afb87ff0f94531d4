//! Where the ingress really runs: Traefik's pods, in whichever namespace, by the label that its chart gives them.

use serde_json::Value;

use super::object::name;
use super::traffic::{self, End};
use crate::model::{ApiQuestion, Missing, ObjectRef, Question, View};

/// Where k3s runs it, and what counts while none is seen.
pub const HOME: &str = "kube-system";
/// What its pods bear.
pub const SELECTOR: &str = "app.kubernetes.io/name=traefik";

fn pods_everywhere() -> ObjectRef {
    ObjectRef::every("v1", "Pod")
}

fn namespaces() -> ObjectRef {
    ObjectRef::every("v1", "Namespace")
}

/// Its pods, and the labels of all namespaces, by which policies select.
pub fn questions() -> [Question; 2] {
    [
        Question::Api(ApiQuestion::List { of: pods_everywhere(), selector: SELECTOR.into() }),
        Question::Api(ApiQuestion::Metadata { of: namespaces(), selector: String::new() }),
    ]
}

/// Its pods, but for those that have ended.
///
/// # Errors
/// They can't be seen.
pub fn pods<'a>(seen: &View<'a>) -> Result<Vec<&'a Value>, Missing> {
    let ended = |pod: &&Value| ["Succeeded", "Failed"].iter().any(|phase| pod["status"]["phase"] == *phase);
    Ok(seen.list(&pods_everywhere(), SELECTOR)?.into_iter().flatten().filter(|pod| !ended(pod)).collect())
}

/// One of its pods as policies see it.
///
/// # Errors
/// The namespaces can't be seen.
pub fn end(seen: &View<'_>, pod: &Value) -> Result<End, Missing> {
    Ok(End::of(pod, &home(seen, pod["metadata"]["namespace"].as_str().unwrap_or_default())?))
}

/// The labels of a namespace.
///
/// # Errors
/// They can't be seen.
pub fn home(seen: &View<'_>, namespace: &str) -> Result<Value, Missing> {
    let all = seen.metadata(&namespaces(), "")?;
    let live = all.into_iter().flatten().find(|one| name(one) == namespace).map(|one| one["metadata"]["labels"].clone());
    Ok(live.unwrap_or_else(|| traffic::home(namespace)))
}
