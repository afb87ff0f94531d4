//! A playbook's objects stand as it says. An Ingress that serves a site by ACME takes its issuer from the ratchet; nothing else writes it.

use serde_json::json;

use crate::model::{ApiQuestion, Manifest, Missing, Planned, Question, Scope, Step, StepId, View};

use super::super::acme_site::AcmeSite;
use super::super::carrier::{Carrier, ISSUER};
use super::super::drift;
use super::super::ratchet::{self, Issuer};

/// Objects to be applied.
pub struct Manifests {
    name: String,
    objects: Vec<Object>,
}

struct Object {
    manifest: Manifest,
    /// Sites by ACME whose Ingress it is.
    sites: Vec<AcmeSite>,
}

/// One step for one part of a playbook.
pub fn step(name: String, manifests: &[Manifest], sites: impl Iterator<Item = AcmeSite>) -> Manifests {
    let sites: Vec<_> = sites.collect();
    let object = |manifest: &Manifest| {
        let own = sites.iter().filter(|site| site.carrier == Carrier::Ingress(manifest.object().clone()));
        Object { sites: own.cloned().collect(), manifest: manifest.clone() }
    };
    Manifests { name, objects: manifests.iter().map(object).collect() }
}

impl Object {
    /// The object with its issuer.
    fn wanted(&self, seen: &View<'_>) -> Result<Manifest, Missing> {
        let Some(first) = self.sites.first() else { return Ok(self.manifest.clone()) };
        let evidence = self.sites.iter().map(|site| site.evidence(seen)).collect::<Result<Vec<_>, _>>()?;
        let issuer = ratchet::issuer(first.carrier.issuer(seen)?, &evidence, seen.clock()?);
        Ok(with_issuer(&self.manifest, issuer))
    }
}

fn with_issuer(manifest: &Manifest, issuer: Issuer) -> Manifest {
    let mut body = manifest.body().clone();
    body["metadata"]["annotations"][ISSUER] = json!(issuer.name());
    // What makes an object stays as it was, so it is one still.
    Manifest::new(body).unwrap_or_else(|| manifest.clone())
}

impl Step for Manifests {
    fn id(&self) -> StepId {
        StepId::named("manifest", &self.name)
    }

    fn scope(&self) -> Scope {
        Scope::Cluster
    }

    fn questions(&self, seen: &View<'_>) -> Vec<Question> {
        let sites = self.objects.iter().flat_map(|object| &object.sites);
        let mut questions: Vec<_> = sites.flat_map(|site| site.questions().into_iter().chain([site.carrier.question()])).collect();
        let wanted = self.objects.iter().filter_map(|object| object.wanted(seen).ok());
        questions.extend(wanted.map(|manifest| Question::Api(ApiQuestion::DryRun(manifest))));
        questions
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        let wanted = self.objects.iter().map(|object| object.wanted(seen)).collect::<Result<Vec<_>, _>>()?;
        drift::mend(wanted.iter(), seen)
    }
}
