//! Both cluster issuers, HTTP-01 through Traefik, with an account key each: accounts are per server. The flow waits for those that
//! a site is given next, and for no other: a staging CA that is down is no matter of a site that is on production.

mod unready;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::inventory::{Acme, Consent, Inventory};
use crate::model::{ApiQuestion, Manifest, Missing, ObjectRef, OperatorQuestion, Plan, Planned, Question, Scope, Step, StepId, View, Why};

use super::acme_site::AcmeSite;
use super::drift;
use super::ours;
use super::ratchet::{self, Issuer};
use unready::Unready;

/// Let's Encrypt's directories (LE: docs/staging-environment).
const PRODUCTION: &str = "https://acme-v02.api.letsencrypt.org/directory";
const STAGING: &str = "https://acme-staging-v02.api.letsencrypt.org/directory";

struct Issuers {
    acme: Acme,
    sites: Vec<AcmeSite>,
    adopts: bool,
}

/// One step for both, if a site wants a certificate by ACME.
pub(super) fn steps(inventory: &Inventory) -> Vec<Box<dyn Step>> {
    let wanted = inventory.wants_acme();
    let adopts = inventory.consents.contains(&Consent::Adopt);
    let step = |acme: &Acme| Issuers { acme: acme.clone(), sites: AcmeSite::all(inventory).collect(), adopts };
    inventory.acme.iter().filter(|_| wanted).map(|acme| Box::new(step(acme)) as Box<dyn Step>).collect()
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
pub(super) fn questions_of(acme: &Acme, issuer: Issuer, seen: &View<'_>) -> Vec<Question> {
    let ca = ca_file(acme, issuer).map(|path| Question::Operator(OperatorQuestion::File(path.clone())));
    let dry_run = manifest(acme, issuer, seen).ok().map(|manifest| Question::Api(ApiQuestion::DryRun(manifest)));
    ca.into_iter().chain(dry_run).collect()
}

/// An issuer as it must be.
///
/// # Errors
/// The file with its directory's CA can't be read.
pub(super) fn manifest(acme: &Acme, issuer: Issuer, seen: &View<'_>) -> Result<Manifest, Missing> {
    let ca_bundle = ca_file(acme, issuer).map(|path| ca(path, seen)).transpose()?;
    let server = server(acme, issuer);
    let context = json!({ "name": issuer.name(), "email": acme.email, "server": server, "ca_bundle": ca_bundle });
    ours::manifest("cluster-issuer.yaml", &context)
}

/// The directories of both CAs.
pub(super) fn servers(inventory: &Inventory) -> Vec<url::Url> {
    let acme = inventory.acme.iter().flat_map(|acme| Issuer::BOTH.map(|issuer| server(acme, issuer)));
    acme.filter_map(|server| server.parse().ok()).collect()
}

fn server(acme: &Acme, issuer: Issuer) -> &str {
    let (server, default) = match issuer {
        Issuer::Staging => (&acme.staging, STAGING),
        Issuer::Production => (&acme.production, PRODUCTION),
    };
    server.server.as_deref().unwrap_or(default)
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
        let mut questions: Vec<_> = Issuer::BOTH.iter().map(|issuer| Question::Api(ApiQuestion::Object(object(*issuer)))).collect();
        questions.extend(Issuer::BOTH.iter().flat_map(|issuer| questions_of(&self.acme, *issuer, seen)));
        // Only where one lacks does it matter who needs it.
        if Issuer::BOTH.iter().any(|issuer| seen.object(&object(*issuer)).is_ok_and(|live| Unready::of(live).is_some())) {
            questions.extend(self.sites.iter().map(|site| site.carrier.question()));
            questions.extend(self.sites.iter().flat_map(AcmeSite::questions));
        }
        questions
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        let both = Issuer::BOTH.iter().map(|issuer| manifest(&self.acme, *issuer, seen));
        let both = both.collect::<Result<Vec<_>, _>>()?;
        if let Some(unmet) = ours::foreign(&both, seen)?.filter(|_| !self.adopts) {
            return Ok(unmet.into());
        }
        let mended = drift::mend(both.iter(), seen)?;
        if mended.plan != Plan::Converged {
            return Ok(mended);
        }
        let mut notes = Vec::new();
        for issuer in Issuer::BOTH {
            let Some(unready) = Unready::of(seen.object(&object(issuer))?) else { continue };
            if self.needed(seen)?.contains(&issuer) {
                return Ok(unready.waiting(issuer).into());
            }
            notes.extend(unready.idle(issuer));
        }
        Ok(Planned::from(Plan::Converged).with_notes(notes))
    }
}

impl Issuers {
    /// Those that the ratchet gives now, one a carrier.
    fn needed(&self, seen: &View<'_>) -> Result<BTreeSet<Issuer>, Missing> {
        let given = self.sites.iter().map(|site| {
            let own = self.sites.iter().filter(|other| other.carrier == site.carrier);
            let evidence = own.map(|site| site.evidence(seen)).collect::<Result<Vec<_>, _>>()?;
            Ok(ratchet::issuer(site.carrier.issuer(seen)?, &evidence, seen.clock()?))
        });
        given.collect()
    }
}
