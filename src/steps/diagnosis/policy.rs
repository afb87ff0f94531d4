//! NetworkPolicies: whether Traefik is let in to the solver and out to it, and cert-manager out to check it.

use serde_json::Value;

use crate::model::{Finding, Missing};

use super::super::solver_policy;
use super::ask::POD;
use super::case::Case;
use super::cause::Cure;
use crate::steps::object::owned;

/// Which policy keeps Traefik from the solver; none: they let it pass.
///
/// # Errors
/// Policies or pods can't be seen.
pub fn judge(case: &Case<'_>, challenge: &Value) -> Result<Option<(String, Cure)>, Missing> {
    let Some(solver) = owned(case.all(POD)?, &[challenge]).first().copied() else { return Ok(None) };
    if let Some(deny) = case.ways.bars_solver(&case.seen, solver)? {
        let why = format!("{deny} lets nobody in to the solver's pod, and no other policy lets Traefik in to its port 8089");
        return Ok(Some((why, Cure::Tool(format!("applies networkpolicy {}/{}, which does", case.namespace(), solver_policy::NAME)))));
    }
    Ok(case.ways.at_traefik(&case.seen, case.namespace())?.map(users))
}

/// Which policy keeps cert-manager in; none: they let it out.
///
/// # Errors
/// Policies can't be seen.
pub fn shut_in(case: &Case<'_>) -> Result<Option<(String, Cure)>, Missing> {
    Ok(case.ways.at_cert_manager(&case.seen)?.map(users))
}

fn users(finding: Finding) -> (String, Cure) {
    (finding.what, Cure::User(finding.cure))
}
