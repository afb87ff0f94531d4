//! For which names an order comes next: those that no certificate covers yet and that no Ingress asks for. Once an Ingress asks,
//! cert-manager orders by itself, and nobody holds it up any more.

use crate::model::{Missing, Question, View};

use super::super::acme_site::AcmeSite;
use super::super::leaf::Leaf;

/// What must be known of a site.
pub fn questions(site: &AcmeSite) -> [Question; 3] {
    let [secret, clock] = site.issued();
    [site.carrier.question(), secret, clock]
}

/// The names.
///
/// # Errors
/// Secret or carrier can't be seen.
pub fn names<'a>(site: &'a AcmeSite, seen: &View<'_>) -> Result<Vec<&'a str>, Missing> {
    let now = seen.clock()?;
    let asked = site.carrier.asks(seen, &site.certificate)?;
    let leaf = seen.secret(site.carrier.namespace(), &site.certificate)?.and_then(Leaf::of).filter(|leaf| leaf.not_after > now);
    let covered = |name: &str| leaf.as_ref().is_some_and(|leaf| leaf.covers(name));
    Ok(site.names.iter().map(String::as_str).filter(|name| !asked.contains(name) && !covered(name)).collect())
}
