//! The issuer: it must be there, and have its account with the CA.

use serde_json::Value;

use crate::model::Missing;

use super::super::ratchet::Issuer;
use super::ask::{self, ISSUER};
use super::authority;
use super::case::{Case, listed};
use super::cause::{Cause, Cure};
use crate::steps::object::{condition, is_stale, name, place, said, text};

/// The ClusterIssuer that the certificate names; none: it names another kind, or that is absent.
///
/// # Errors
/// They can't be seen.
pub fn of<'a>(case: &Case<'a>) -> Result<Option<&'a Value>, Missing> {
    let Some(wanted) = wanted(case) else { return Ok(None) };
    Ok(listed(&case.seen, &ISSUER.all(""))?.iter().find(|issuer| name(issuer) == wanted))
}

fn wanted<'a>(case: &Case<'a>) -> Option<&'a str> {
    let reference = &case.certificate?["spec"]["issuerRef"];
    (reference["kind"].as_str() == Some("ClusterIssuer")).then(|| reference["name"].as_str()).flatten()
}

/// Whether bedplate writes it.
pub fn is_ours(name: &str) -> bool {
    Issuer::BOTH.iter().any(|issuer| issuer.name() == name)
}

/// Absent or not Ready.
///
/// # Errors
/// It can't be seen.
pub fn judge(case: &Case<'_>) -> Result<Vec<Cause>, Missing> {
    if case.comes() {
        return Ok(Vec::new());
    }
    let Some(wanted) = wanted(case) else { return Ok(Vec::new()) };
    let Some(issuer) = of(case)? else {
        let cure = if is_ours(wanted) { Cure::Tool("applies it".into()) } else { Cure::User(case.site.carrier.place()) };
        return Ok(vec![Cause::new(format!("clusterissuer {wanted}, which the certificate names, is absent"), "", cure)]);
    };
    let Some(ready) = condition(issuer, "Ready") else {
        let stuck = format!("{}: cert-manager has not looked at it yet", place(issuer));
        return Ok(vec![Cause::new(
            stuck,
            "",
            Cure::Time("it takes seconds; if it does not, kubectl -n cert-manager logs deployment/cert-manager".into()),
        )]);
    };
    if ready["status"] == "True" && !is_stale(ready, issuer) {
        return Ok(Vec::new());
    }
    let message = ready["message"].as_str().unwrap_or_default();
    let (why, cure) = account(case, issuer, message);
    Ok(vec![Cause::new(format!("{} is not ready: {}", place(issuer), said(message)), why, cure)])
}

/// Why there is no account.
fn account(case: &Case<'_>, issuer: &Value, message: &str) -> (String, Cure) {
    let key = match name(issuer) {
        ours if ours == Issuer::Staging.name() => "acme.staging",
        ours if ours == Issuer::Production.name() => "acme.production",
        _ => "its spec.acme",
    };
    if let Some(known) = authority::of(message, case) {
        return known;
    }
    let server = text(issuer, "/spec/acme/server").unwrap_or_default();
    if message.contains("x509: ") {
        let why = format!("cert-manager does not believe the certificate of {server}");
        return (why, Cure::User(format!("set {key}.server_ca to the CA that signs that server's certificate; then `bedplate bootstrap`")));
    }
    authority::silent(case, server, message).unwrap_or_else(|| {
        let cure = format!("check acme.email, {key}.server and {key}.server_ca: kubectl describe clusterissuer {}", name(issuer));
        (String::new(), Cure::User(cure))
    })
}

/// Where the CA's directory is.
pub fn server(case: &Case<'_>) -> String {
    ask::server(case).map(|server| server.to_string()).unwrap_or_default()
}
