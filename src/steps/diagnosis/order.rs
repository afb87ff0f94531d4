//! The Order: the CA must take it, and let it be validated.

use crate::model::Missing;

use super::authority;
use super::case::{Case, SETTLING};
use super::cause::{Cause, Cure};
use super::issuer;
use crate::steps::object::{age, name, place, said, text};

/// Refused by the CA, never answered, or without a challenge.
///
/// # Errors
/// It can't be seen.
pub fn judge(case: &Case<'_>) -> Result<Vec<Cause>, Missing> {
    if case.comes() {
        return Ok(Vec::new());
    }
    let Some(order) = case.order()? else { return Ok(Vec::new()) };
    let (place, age) = (place(order), age(order, case.now));
    let reason = text(order, "/status/reason").unwrap_or_default();
    let cause = match text(order, "/status/state") {
        // Its challenges tell more, if it came to them.
        Some("errored" | "expired" | "invalid") if reason.is_empty() => None,
        Some(state @ ("errored" | "expired" | "invalid")) => {
            let (why, cure) = authority::of(reason, case).unwrap_or_else(|| (String::new(), authority::ask_the_log()));
            Some(Cause::new(format!("{place} is {state}: {}", said(reason)), why, cure))
        }
        None if age > SETTLING => {
            let server = issuer::server(case);
            let (why, cure) = authority::silent(case, &server, "").unwrap_or_else(|| {
                (
                    format!("{server} answers this machine, so cert-manager's pods do not reach it, or it answers them with errors"),
                    authority::ask_the_log(),
                )
            });
            Some(Cause::new(format!("{place} was made {age} s ago, and the CA has not taken it"), why, cure))
        }
        Some("pending") if age > SETTLING && case.challenges()?.is_empty() => {
            let why = "no solver of the issuer fits its names";
            let cure = match issuer::of(case)?.map(name) {
                Some(name) if issuer::is_ours(name) => Cure::Tool(format!("puts the solver of clusterissuer {name} back")),
                _ => Cure::User("give the issuer an http01 solver without a selector".into()),
            };
            Some(Cause::new(format!("{place} is pending and has no challenge"), why, cure))
        }
        Some(state @ ("ready" | "processing")) if age > 4 * SETTLING => {
            let why = "all names are validated, and the CA has not made the certificate";
            Some(Cause::new(format!("{place} is {state} since {age} s"), why, Cure::Time("the CA is slow; its status page tells".into())))
        }
        _ => None,
    };
    Ok(cause.into_iter().collect())
}
