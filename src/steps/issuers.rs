//! Both cluster issuers, HTTP-01 through Traefik, with an account key each: accounts are per server (S3-71).

use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::inventory::{Acme, Inventory};
use crate::model::{
    ApiQuestion, Condition, Manifest, Missing, ObjectRef, OperatorQuestion, Plan, Planned, Question, Scope, Step,
    StepId, View, Why,
};

use super::drift;
use super::object;
use super::ours;
use super::ratchet::Issuer;

/// Let's Encrypt's directories (LE: docs/staging-environment).
const PRODUCTION: &str = "https://acme-v02.api.letsencrypt.org/directory";
const STAGING: &str = "https://acme-staging-v02.api.letsencrypt.org/directory";

struct Issuers(Acme);

/// One step for both, if a site wants a certificate by ACME.
pub(super) fn steps(inventory: &Inventory) -> Vec<Box<dyn Step>> {
    let wanted = inventory.wants_acme();
    inventory.acme.iter().filter(|_| wanted).map(|acme| Box::new(Issuers(acme.clone())) as Box<dyn Step>).collect()
}

/// Which object an issuer is.
pub(super) fn object(issuer: Issuer) -> ObjectRef {
    ObjectRef::new("cert-manager.io/v1", "ClusterIssuer", "", issuer.name())
}

/// All that bear our label.
pub(super) fn objects(inventory: &Inventory) -> impl Iterator<Item = ObjectRef> {
    let wanted = inventory.acme.is_some() && inventory.wants_acme();
    Issuer::BOTH.into_iter().filter(move |_| wanted).map(object)
}

/// What must be known of one issuer: its directory's CA, if the inventory names one, then a dry run.
pub(super) fn questions(acme: &Acme, issuer: Issuer, seen: &View<'_>) -> Vec<Question> {
    let ca = ca_file(acme, issuer).map(|path| Question::Operator(OperatorQuestion::File(path.clone())));
    let dry_run = manifest(acme, issuer, seen).ok().map(|manifest| Question::Api(ApiQuestion::DryRun(manifest)));
    ca.into_iter().chain(dry_run).collect()
}

/// An issuer as it must be.
///
/// # Errors
/// The file with its directory's CA can't be read.
pub(super) fn manifest(acme: &Acme, issuer: Issuer, seen: &View<'_>) -> Result<Manifest, Missing> {
    let (server, default) = match issuer {
        Issuer::Staging => (&acme.staging, STAGING),
        Issuer::Production => (&acme.production, PRODUCTION),
    };
    let ca_bundle = ca_file(acme, issuer).map(|path| ca(path, seen)).transpose()?;
    let server = server.server.as_deref().unwrap_or(default);
    let context = json!({ "name": issuer.name(), "email": acme.email, "server": server, "ca_bundle": ca_bundle });
    ours::manifest("cluster-issuer.yaml", &context)
}

/// A file in PEM as cert-manager takes it.
fn ca(path: &Path, seen: &View<'_>) -> Result<String, Missing> {
    let pem = seen.file(path)?.ok_or_else(|| Missing {
        question: Question::Operator(OperatorQuestion::File(path.to_owned())),
        why: Why::Unreadable(format!("{} is not there", path.display())),
    })?;
    Ok(STANDARD.encode(pem.expose()))
}

fn ca_file(acme: &Acme, issuer: Issuer) -> Option<&PathBuf> {
    match issuer {
        Issuer::Staging => acme.staging.server_ca.as_ref(),
        Issuer::Production => acme.production.server_ca.as_ref(),
    }
}

impl Step for Issuers {
    fn id(&self) -> StepId {
        StepId::of("issuers")
    }

    fn scope(&self) -> Scope {
        Scope::Cluster
    }

    fn questions(&self, seen: &View<'_>) -> Vec<Question> {
        let live = Issuer::BOTH.iter().map(|issuer| Question::Api(ApiQuestion::Object(object(*issuer))));
        live.chain(Issuer::BOTH.iter().flat_map(|issuer| questions(&self.0, *issuer, seen))).collect()
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        let manifests = Issuer::BOTH.iter().map(|issuer| manifest(&self.0, *issuer, seen)).collect::<Result<Vec<_>, _>>()?;
        let mended = drift::mend(manifests.iter(), seen)?;
        if mended.plan != Plan::Converged {
            return Ok(mended);
        }
        for issuer in Issuer::BOTH {
            if let Some(unready) = unready(seen.object(&object(issuer))?) {
                return Ok(self.waiting(issuer, unready).into());
            }
        }
        Ok(Plan::Converged.into())
    }
}

impl Issuers {
    fn waiting(&self, issuer: Issuer, seen: String) -> Plan {
        let server = match issuer {
            Issuer::Staging => "acme.staging",
            Issuer::Production => "acme.production",
        };
        Plan::Wait(Condition {
            what: format!("{} is Ready", object(issuer)),
            seen,
            cure: format!("check acme.email, {server}.server and {server}.server_ca; pods must reach that server by name"),
            within: Duration::from_secs(60),
        })
    }
}

/// Why an issuer is not Ready for the spec that it has now; none if it is.
fn unready(live: Option<&Value>) -> Option<String> {
    let Some(live) = live else { return Some("it is absent".into()) };
    let Some(ready) = object::condition(live, "Ready") else {
        return Some("it says nothing of itself yet".into());
    };
    let text = |field: &str| ready[field].as_str().unwrap_or_default();
    if object::is_stale(ready, live) {
        return Some("it has not seen its new spec yet".into());
    }
    (text("status") != "True").then(|| format!("{}: {}", text("reason"), text("message")))
}
