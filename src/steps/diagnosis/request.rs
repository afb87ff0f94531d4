//! The CertificateRequest: somebody must have approved it.

use crate::model::Missing;

use super::case::{Case, SETTLING};
use super::cause::{Cause, Cure};
use crate::steps::object::{age, condition, place, said, seconds};

/// Denied, not valid, not approved, or not made at all.
///
/// # Errors
/// It can't be seen.
pub fn judge(case: &Case<'_>) -> Result<Vec<Cause>, Missing> {
    if case.comes() {
        return Ok(Vec::new());
    }
    let Some(request) = case.request()? else { return Ok(unmade(case).into_iter().collect()) };
    let place = place(request);
    let message = |kind: &str| {
        condition(request, kind).filter(|one| one["status"] == "True").map(|one| said(one["message"].as_str().unwrap_or_default()))
    };
    if let Some(message) = message("Denied") {
        let cure = Cure::User("let the approver's policy allow this issuer and these names".into());
        return Ok(vec![Cause::new(
            format!("{place} was denied: {message}"),
            "a policy for certificates of this cluster forbids it",
            cure,
        )]);
    }
    if let Some(message) = message("InvalidRequest") {
        let cure = Cure::User("correct the cert-manager.io annotations of the Ingress".into());
        return Ok(vec![Cause::new(format!("{place} is not valid: {message}"), "", cure)]);
    }
    if message("Approved").is_none() && age(request, case.now) > SETTLING {
        let cure = Cure::User("turn cert-manager's approver on again, or let the one that replaces it approve this issuer".into());
        let stuck = format!("{place} is not approved after {} s", age(request, case.now));
        return Ok(vec![Cause::new(stuck, "nobody approves requests for this issuer", cure)]);
    }
    Ok(Vec::new())
}

/// The certificate is being issued, and there is no request.
fn unmade(case: &Case<'_>) -> Option<Cause> {
    let issuing = condition(case.certificate?, "Issuing").filter(|issuing| issuing["status"] == "True")?;
    let since = issuing["lastTransitionTime"].as_str().and_then(seconds).unwrap_or(case.now);
    let cure = format!("the events say why: kubectl -n {} describe certificate {}", case.namespace(), case.site.certificate);
    let stuck = format!("{} has no request after {} s", place(case.certificate?), case.now - since);
    (case.now - since > SETTLING).then(|| Cause::new(stuck, "the API server refuses it, or cert-manager does not get on", Cure::User(cure)))
}
