//! The certificate is good, and its renewal is due: a renewal that was begun is told by its own chain.

use crate::model::Missing;

use super::super::renewal::{Progress, Renewal};
use super::case::Case;
use super::cause::{Cause, Cure};
use super::object::place;

/// Due, and nobody has begun it.
///
/// # Errors
/// None: all that it needs is known by then.
pub fn judge(case: &Case<'_>) -> Result<Vec<Cause>, Missing> {
    let Some(certificate) = case.certificate.filter(|_| case.comes()) else { return Ok(Vec::new()) };
    let Some(renewal) = Renewal::of(certificate).filter(|renewal| renewal.progress(case.now) != Progress::InTime) else {
        return Ok(Vec::new());
    };
    let stuck = format!("the renewal of {} {}", place(certificate), renewal.told(case.now));
    let cure = "see what it says: kubectl -n cert-manager logs deployment/cert-manager; then: kubectl -n cert-manager rollout restart \
                deployment/cert-manager";
    Ok(vec![Cause::new(stuck, "cert-manager runs, and has not begun it", Cure::User(cure.into()))])
}
