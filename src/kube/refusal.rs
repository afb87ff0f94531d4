//! What the API server's refusals say, and what cures them.

use std::error::Error;
use std::io::{self, ErrorKind};

use ::kube::core::Status;

use crate::model::{Failure, causes, chain};

use super::PATIENCE;

/// No answer within the deadline.
pub fn silence() -> String {
    format!("the API server gave no answer within {} s", PATIENCE.as_secs())
}

/// One line: HTTP status, reason and message, or why nothing came back.
pub fn told(error: &::kube::Error) -> String {
    match error {
        ::kube::Error::Api(status) => format!("{}: {}", code(status), message(status)),
        ::kube::Error::Service(error) => format!("the API server can't be reached: {}", unreached(error.as_ref())),
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

/// What the `kube` crate calls a refusal in plain text.
const PLAIN: &str = "Failed to parse error data";

fn code(status: &Status) -> String {
    match status.reason.as_str() {
        "" | PLAIN => format!("HTTP {}", status.code),
        reason => format!("HTTP {} {reason}", status.code),
    }
}

/// Of what `/readyz` says, a line a check, only the checks that fail.
fn message(status: &Status) -> String {
    let checks = status.message.lines().filter_map(|line| line.strip_prefix("[-]"));
    let failing: Vec<_> = checks.filter_map(|check| check.split(' ').next()).collect();
    if failing.is_empty() { status.message.trim().into() } else { format!("not ready yet: {}", failing.join(", ")) }
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

/// SSH opens the forwarded socket whether or not something listens behind it, and hangs up if nothing does.
fn unreached(error: &(dyn Error + 'static)) -> String {
    match causes(error).find_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind) {
        Some(ErrorKind::NotFound | ErrorKind::ConnectionRefused) => "the SSH tunnel is closed".into(),
        Some(ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof) => {
            "nothing answers at 127.0.0.1:6443 on the server".into()
        }
        _ => chain(error),
    }
}

#[cfg(test)]
#[path = "refusal_tests.rs"]
mod tests;
