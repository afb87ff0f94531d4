//! The solver's Ingress: Traefik must take it for its own.

use serde_json::Value;

use crate::model::Missing;

use super::ask::{CLASS, INGRESS};
use super::case::{Case, listed};
use super::cause::Cure;
use super::issuer;
use crate::steps::object::{name, owned, place, text};

const LEGACY: &str = "kubernetes.io/ingress.class";
const CONTROLLER: &str = "traefik.io/ingress-controller";

/// Why Traefik passes it over; none: it does not.
///
/// # Errors
/// Ingresses and classes can't be seen.
pub fn judge(case: &Case<'_>, challenge: &Value) -> Result<Option<(String, Cure)>, Missing> {
    let ingresses = owned(case.all(INGRESS)?, &[challenge]);
    let Some(ingress) = ingresses.first() else {
        return Ok(Some(("its solver's Ingress is gone".into(), Cure::Time("cert-manager makes it anew at its next check".into()))));
    };
    let legacy = ingress["metadata"]["annotations"][LEGACY].as_str();
    let Some(wanted) = text(ingress, "/spec/ingressClassName").or(legacy) else { return Ok(None) };
    let class = listed(&case.seen, &CLASS.all(""))?.iter().find(|class| name(class) == wanted);
    let why = match class {
        None => format!("{} is of the ingress class {wanted}, which nobody serves", place(ingress)),
        Some(class) if class["spec"]["controller"] == CONTROLLER => return Ok(None),
        Some(class) => {
            let controller = class["spec"]["controller"].as_str().unwrap_or_default();
            format!("{} is of the ingress class {wanted}, which {controller} serves, and port 80 is Traefik's", place(ingress))
        }
    };
    let cure = match issuer::of(case)?.map(name) {
        Some(issuer) if issuer::is_ours(issuer) => Cure::Tool(format!("puts the class traefik back into clusterissuer {issuer}")),
        _ => Cure::User("set http01.ingress.ingressClassName of the issuer's solver to traefik".into()),
    };
    Ok(Some((why, cure)))
}
