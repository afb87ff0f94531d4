//! What the API server's refusals say, and what cures them.

use std::error::Error;

use ::kube::core::Status;

use crate::model::Failure;

use super::PATIENCE;

/// No answer within the deadline.
pub fn silence() -> String {
    format!("the API server gave no answer within {} s", PATIENCE.as_secs())
}

/// One line: HTTP status, reason and message, or why nothing came back.
pub fn told(error: &::kube::Error) -> String {
    match error {
        ::kube::Error::Api(status) => format!("{}: {}", code(status), status.message.trim()),
        ::kube::Error::Service(error) => format!("the API server can't be reached: {}", chain(error.as_ref())),
        ::kube::Error::SerdeError(_) => "the API server's answer is not what was asked for".into(),
        other => chain(other),
    }
}

/// The same for Secrets: of a message that may quote what was sent, only the names of the fields.
pub fn told_of_secret(error: &::kube::Error) -> String {
    match error {
        // These name the namespace, the object and the user, never a value.
        ::kube::Error::Api(status) if !matches!(status.code, 401 | 403 | 404 | 409) => {
            let causes = status.details.iter().flat_map(|details| &details.causes);
            let fields: Vec<_> = causes.map(|cause| cause.field.as_str()).filter(|field| !field.is_empty()).collect();
            if fields.is_empty() { code(status) } else { format!("{}: {}", code(status), fields.join(", ")) }
        }
        other => told(other),
    }
}

fn code(status: &Status) -> String {
    format!("HTTP {} {}", status.code, status.reason)
}

/// The status, if the server answered with one.
pub fn status(error: &::kube::Error) -> Option<&Status> {
    match error {
        ::kube::Error::Api(status) => Some(status),
        _ => None,
    }
}

/// Whether the server said 404.
pub fn is_absent(error: &::kube::Error) -> bool {
    // By code, not by `reason`: a group that is not served is refused in plain text.
    status(error).is_some_and(|status| status.code == 404)
}

/// The failure of an attempt: `tried` reads after "could not".
pub fn failure(tried: String, seen: String, error: &::kube::Error) -> Failure {
    let cure = match status(error).map(|status| status.code) {
        Some(401) => "the credentials in /etc/rancher/k3s/k3s.yaml are refused: run again, which reads them anew",
        Some(403) => "an admission or RBAC rule forbids it: the message says which; change that rule",
        Some(404) => "create its namespace, or install its custom resource definition, first",
        Some(409) => "somebody changed it meanwhile: run again",
        Some(422) => "correct the field that the message names; an immutable object must be deleted first",
        Some(500..=599) => "if it names a webhook, see that its pod is ready; else look at `journalctl -u k3s`; then run again",
        Some(_) => "correct what the message names",
        None => "see that k3s runs on the server (`systemctl status k3s`), then run again",
    };
    Failure::new(tried, seen, cure)
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let said = source.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        next = source.source();
    }
    text
}
