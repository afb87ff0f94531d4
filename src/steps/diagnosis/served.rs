//! The certificate is there: what visitors get must be it.

use serde_json::Value;

use crate::model::Missing;

use super::super::certificate::served::{is_default, judge as unlike};
use super::super::ratchet::Issuer;
use super::ask::INGRESS;
use super::case::Case;
use super::cause::{Cause, Cure};
use crate::steps::object::{list, place};

/// Issued, and not served.
///
/// # Errors
/// Ingresses can't be seen.
pub fn judge(case: &Case<'_>) -> Result<Vec<Cause>, Missing> {
    let (true, Some(leaf), Some(address)) = (case.comes(), &case.leaf, case.site.address) else { return Ok(Vec::new()) };
    let issuer = if leaf.issuer == Issuer::Staging.name() { Issuer::Staging } else { Issuer::Production };
    let mut causes = Vec::new();
    for name in &case.site.names {
        if !leaf.covers(name) {
            let cure = Cure::User(format!("add {name} to tls.hosts of the Ingress"));
            causes.push(Cause::new(format!("the certificate is issued, and does not cover {name}"), "", cure));
            continue;
        }
        let served = case.seen.served(name, address).ok().flatten();
        let Some(finding) = unlike(name, served, leaf, (issuer, case.site.roots), case.now) else { continue };
        causes.push(match served.is_some_and(is_default) {
            true => default_served(case, name)?,
            false => Cause::new(format!("the certificate is issued, and {}", finding.what), "", Cure::User(finding.cure)),
        });
    }
    Ok(causes)
}

/// Traefik has found no Secret for the name.
fn default_served(case: &Case<'_>, name: &str) -> Result<Cause, Missing> {
    let stuck = format!("the certificate is issued, and visitors of {name} get Traefik's default certificate");
    let secret = &case.site.certificate;
    let serves = |ingress: &&Value| list(ingress, "/spec/rules").any(|rule| rule["host"] == *name);
    let ingress = case.all(INGRESS)?.iter().find(serves);
    let (why, cure) = match ingress {
        None => (format!("no Ingress of {} has a rule for {name}", case.namespace()), format!("add host {name} to the Ingress")),
        Some(ingress) if !list(ingress, "/spec/tls").any(|tls| tls["secretName"] == *secret) => {
            (format!("{} does not name secret {secret} under tls", place(ingress)), format!("set tls.secretName {secret} there"))
        }
        Some(ingress) => (
            format!("Traefik has not taken {} up", place(ingress)),
            "see what it says: kubectl -n kube-system logs deployment/traefik".to_owned(),
        ),
    };
    Ok(Cause::new(stuck, why, Cure::User(cure)))
}
