//! Whether somebody is there to issue: cert-manager's own parts.

use serde_json::Value;

use crate::model::Missing;

use super::super::cert_manager::NAMESPACE;
use super::super::rollout;
use super::super::workloads::pods::{Pod, of};
use super::ask::{DEPLOYMENT, POD};
use super::case::{Case, listed};
use super::cause::{Cause, Cure};
use crate::steps::object::{name, place};

/// The program that does the work, by its deployment's name in cert-manager's chart.
const CONTROLLER: &str = "cert-manager";

/// cert-manager lacks, or a part of it does not run. Judged also while a certificate is good: its renewal would die in silence.
///
/// # Errors
/// They can't be seen.
pub fn judge(case: &Case<'_>) -> Result<Vec<Cause>, Missing> {
    let parts = listed(&case.seen, &DEPLOYMENT.all(NAMESPACE))?;
    let pods = listed(&case.seen, &POD.all(NAMESPACE))?;
    if !parts.iter().any(|part| name(part) == CONTROLLER) {
        let stuck = format!("the certificate of {} can't be ordered: there is no deployment {NAMESPACE}/{CONTROLLER}", case.site.domain);
        return Ok(vec![Cause::new(stuck, "", Cure::Tool("installs cert-manager".into()))]);
    }
    Ok(parts.iter().filter_map(|part| lacks(part, pods)).collect())
}

fn lacks(part: &Value, pods: &[Value]) -> Option<Cause> {
    let lost = consequence(name(part));
    if part["spec"]["replicas"] == 0 {
        return Some(Cause::new(format!("{} is scaled to 0, so {lost}", place(part)), "", Cure::Tool("scales it back".into())));
    }
    let unfinished = rollout::unfinished(part)?;
    let trouble = of(part, pods).iter().find_map(Pod::trouble).unwrap_or_default();
    let cure =
        format!("see what its pods say: kubectl -n {NAMESPACE} describe pods; kubectl -n {NAMESPACE} logs deployment/{}", name(part));
    Some(Cause::new(format!("{}: {unfinished}, so {lost}", place(part)), trouble, Cure::User(cure)))
}

/// What does not happen without it.
fn consequence(part: &str) -> &'static str {
    match part {
        CONTROLLER => "nothing is ordered or renewed",
        "cert-manager-webhook" => "the API server refuses every certificate, request and order",
        "cert-manager-cainjector" => "the webhook is not believed",
        _ => "a part of cert-manager lacks",
    }
}
