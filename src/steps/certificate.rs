//! A site's certificate is issued *and served*: the leaf that visitors get for every name is the one in the Secret, and its chain verifies
//! in the phase that the ratchet gives. A condition alone never counts. Once staging is verified the ratchet turns, `release` acts
//! a second time, and this step waits for production.
//!
//! Without `acme.staging.roots` a staging chain verifies to nothing. Then the very leaf that the staging issuer wrote into the Secret must
//! be served: that proves the way through CA and ingress, not the trust, which production proves.

mod again;
mod order;
pub(super) mod served;

use std::time::Duration;

use serde_json::Value;

use crate::inventory::{self, Inventory};
use crate::model::{ApiQuestion, Condition, Finding, Missing, Note, Phase, Plan, Planned, Question, Scope, Served, Step, StepId, View};

use super::acme_site::AcmeSite;
use super::attempt::Failed;
use super::leaf::Leaf;
use super::moment;
use super::object;
use super::ratchet::{self, Evidence, Issuer};
use super::renewal::{Progress, Renewal};

struct Certificate {
    site: AcmeSite,
    within: Duration,
}

/// One step a site with a certificate by ACME.
pub(super) fn steps(inventory: &Inventory) -> Vec<Box<dyn Step>> {
    let step = |site: &inventory::Site| {
        Some(Box::new(Certificate { site: AcmeSite::of(inventory, site)?, within: site.within() }) as Box<dyn Step>)
    };
    inventory.sites.iter().filter_map(step).collect()
}

impl Step for Certificate {
    fn id(&self) -> StepId {
        StepId::named("certificate", &self.site.domain)
    }

    fn scope(&self) -> Scope {
        Scope::Cluster
    }

    fn questions(&self, seen: &View<'_>) -> Vec<Question> {
        let mut questions = vec![self.site.carrier.question(), Question::Api(ApiQuestion::Object(self.site.object()))];
        questions.extend(self.site.questions());
        // The chain below the certificate is read only where there is something to explain.
        if let Ok(Some(live)) = seen.object(&self.site.object()) {
            let failed = Failed::of(live).map(|_| moment::QUESTION);
            if failed.is_some() || unready(live).is_some() {
                questions.extend(order::questions(self.site.carrier.namespace()));
            }
            questions.extend(failed);
        }
        questions
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        self.site.carrier.must_be_there(seen)?;
        let (evidence, now) = (self.site.evidence(seen)?, seen.clock()?);
        let stored = self.site.carrier.issuer(seen)?;
        let issuer = ratchet::issuer(stored, std::slice::from_ref(&evidence), now);
        if stored != Some(issuer.name()) {
            return Ok(self.turned(issuer, &evidence));
        }
        match self.missing(seen, issuer, &evidence, now)? {
            None => self.renewed(seen, issuer, now),
            Some(Finding { what, cure }) => Ok(self.failed(seen, issuer, now)?.unwrap_or_else(|| {
                let within = self.within;
                let wanted = format!("the certificate of {} by {} is issued and served", self.site.domain, issuer.name());
                Plan::Wait(Condition { what: wanted, seen: what, cure, within }).into()
            })),
        }
    }
}

impl Certificate {
    /// The release acts next, so there is nothing to wait for here.
    fn turned(&self, issuer: Issuer, evidence: &Evidence<'_>) -> Planned {
        let mut notes = vec![Note::Fact(format!("{} takes {} next", self.site.domain, issuer.name()))];
        let untrusted = |served: &Option<&Served>| served.is_some_and(|served| matches!(served.phase, Phase::Untrusted(_)));
        if issuer == Issuer::Production && evidence.names.iter().any(|(_, served)| untrusted(served)) {
            notes.push(Note::Warning(Finding::new(
                "the staging chain was not verified: only that the staging issuer's own leaf is served",
                "set acme.staging.roots to the staging CA's root certificates",
            )));
        }
        Planned::from(Plan::Converged).with_notes(notes)
    }

    /// What lacks until the certificate is served, with the cure of what holds it.
    fn missing(&self, seen: &View<'_>, issuer: Issuer, evidence: &Evidence<'_>, now: i64) -> Result<Option<Finding>, Missing> {
        let object = self.site.object();
        let Some(live) = seen.object(&object)? else {
            let cure =
                format!("its Ingress needs the annotation cert-manager.io/cluster-issuer and tls.secretName {}", self.site.certificate);
            return Ok(Some(Finding::new(format!("{object} is absent"), cure)));
        };
        let now_by = live.pointer("/spec/issuerRef/name").and_then(Value::as_str).unwrap_or_default();
        if now_by != issuer.name() {
            return Ok(Some(Finding::new(format!("{object} is still by {now_by}"), self.site.carrier.place())));
        }
        if let Some(unready) = unready(live) {
            return order::explain(seen, &self.site, live, unready).map(Some);
        }
        let Some(leaf) = evidence.leaf.as_ref().filter(|leaf| leaf.issuer == issuer.name()) else {
            return Ok(Some(Finding::new(
                format!("secret {} holds no certificate by {}", self.site.certificate, issuer.name()),
                self.describe(),
            )));
        };
        for (name, served) in &evidence.names {
            let found = self.uncovered(name, live, leaf).or_else(|| served::judge(name, *served, leaf, (issuer, evidence.roots), now));
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// What to do about an issuance by that issuer that failed and is needed, while cert-manager waits; none: it does not.
    fn failed(&self, seen: &View<'_>, issuer: Issuer, now: i64) -> Result<Option<Planned>, Missing> {
        let overdue = |live: &Value| Renewal::of(live).is_some_and(|renewal| renewal.progress(now) == Progress::Overdue);
        let needed = |live: &&Value| live["spec"]["issuerRef"]["name"] == issuer.name() && (unready(live).is_some() || overdue(live));
        let failed = seen.object(&self.site.object())?.filter(needed).and_then(Failed::of).filter(|failed| failed.retry() > now);
        failed.map(|failed| again::plan(seen, &self.site, &failed, now)).transpose()
    }

    /// Nothing lacks now. A renewal that does not come is told before visitors notice.
    fn renewed(&self, seen: &View<'_>, issuer: Issuer, now: i64) -> Result<Planned, Missing> {
        let object = self.site.object();
        let Some(renewal) = seen.object(&object)?.and_then(Renewal::of) else { return Ok(Plan::Converged.into()) };
        let what = || format!("the renewal of {object} {}", renewal.told(now));
        let cure = "`bedplate diagnose` says why it does not come";
        Ok(match renewal.progress(now) {
            Progress::InTime => Plan::Converged.into(),
            Progress::Late => Planned::from(Plan::Converged).with_notes(vec![Note::Warning(Finding::new(what(), cure))]),
            Progress::Overdue => match self.failed(seen, issuer, now)? {
                Some(planned) => planned,
                None => Plan::Unmet(vec![Finding::new(what(), cure)]).into(),
            },
        })
    }

    /// A name that the leaf is not for: nobody asked for it, or it was not issued yet.
    fn uncovered(&self, name: &str, live: &Value, leaf: &Leaf) -> Option<Finding> {
        if leaf.covers(name) {
            return None;
        }
        let asked: Vec<String> = live
            .pointer("/spec/dnsNames")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect();
        let object = self.site.object();
        if asked.iter().any(|one| one.eq_ignore_ascii_case(name)) {
            let what = format!("{object} asks for {name}, and the certificate in its secret is for {} only", served::listed(&leaf.names));
            return Some(Finding::new(what, "it is issued anew; if it is not, `bedplate diagnose` says why"));
        }
        let cure = format!("add {name} to tls.hosts of the Ingress");
        Some(Finding::new(format!("{object} asks for {} only, not for {name}", served::listed(&asked)), cure))
    }

    fn describe(&self) -> String {
        format!("kubectl -n {} describe certificate {}", self.site.carrier.namespace(), self.site.certificate)
    }
}

/// Why a Certificate is not Ready for the spec that it has now; none if it is.
fn unready(live: &Value) -> Option<String> {
    let Some(ready) = object::condition(live, "Ready") else {
        return Some("cert-manager has not looked at it yet".into());
    };
    let text = |field: &str| ready[field].as_str().unwrap_or_default();
    if object::is_stale(ready, live) {
        return Some("cert-manager has not seen its new spec yet".into());
    }
    (text("status") != "True").then(|| text("message").to_owned())
}
