//! What visitors of a site must see: its pages, its redirects, a trusted certificate with days to spare. Only checked: Ingress
//! and Middleware are the chart's, so a cure shows what to add there; with `manage_redirects` they are the step before's.

mod addition;
mod by_name;
pub(super) mod challenge;
mod circle;
mod hairpin;
mod hsts;
mod met;
mod notes;
mod old_tls;
pub(super) mod page;
pub(super) mod redirect;
mod trust;
mod trusted;
mod visits;

use std::net::IpAddr;
use std::time::Duration;

use crate::inventory::{self, Inventory, Tls};
use crate::model::{ApiQuestion, Condition, Finding, Missing, OperatorQuestion, Plan, Planned, Question, Scope, Step, StepId, View};

use super::acme_site::{AcmeSite, ingress};
use super::renewal::Renewal;
use trusted::{Side, Visitor};

/// Traefik takes a new route up in seconds.
const PATIENCE: Duration = Duration::from_secs(60);

struct Site {
    config: inventory::Site,
    /// Its certificate, if it comes by ACME.
    acme: Option<AcmeSite>,
    namespace: String,
    address: Option<IpAddr>,
}

/// One step a `[[sites]]`.
pub(super) fn steps(inventory: &Inventory) -> Vec<Box<dyn Step>> {
    let step = |config: &inventory::Site| {
        let namespace = inventory.namespace_of(config).unwrap_or_default().to_owned();
        Box::new(Site { config: config.clone(), acme: AcmeSite::of(inventory, config), namespace, address: ingress(inventory) })
            as Box<dyn Step>
    };
    inventory.sites.iter().map(step).collect()
}

impl Step for Site {
    fn id(&self) -> StepId {
        StepId::named("site", &self.config.domain)
    }

    fn scope(&self) -> Scope {
        Scope::Cluster
    }

    fn questions(&self, seen: &View<'_>) -> Vec<Question> {
        let mut questions = self.trust_questions();
        questions.extend(self.inner_question(seen));
        questions.extend(self.dns_questions());
        let (Some(address), Ok(trusted)) = (self.address, self.trusted(seen)) else { return questions };
        let visitor = Visitor { side: Side::Outside, address, trusted };
        questions.extend(self.urls().chain(self.challenges().map(|(_, url)| url)).map(|url| visitor.get(seen, &url)));
        if self.config.tls != Tls::Off {
            questions.push(Question::Operator(OperatorQuestion::Clock));
            questions.extend(self.acme.iter().map(|acme| Question::Api(ApiQuestion::Object(acme.object()))));
            questions.extend(self.config.names().map(|name| visitor.serve(seen, name)));
            if self.is_served(seen, &visitor) {
                questions.push(self.old_tls_question(&visitor));
                questions.extend(self.hairpin_questions(seen, &visitor));
                questions.extend(self.by_name_questions(seen, &visitor));
            }
        }
        questions
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        let Some(address) = self.address else {
            let finding = Finding::new("nothing says where visitors find the server", "set public_ip of the server");
            return Ok(Plan::Unmet(vec![finding]).into());
        };
        let visitor = Visitor { side: Side::Outside, address, trusted: self.trusted(seen)? };
        let mut findings = Vec::new();
        if self.config.tls != Tls::Off {
            let (now, issuer) = (seen.clock()?, self.issuer(seen)?);
            for name in self.config.names() {
                findings.extend(trust::judge(name, visitor.served(seen, name), &issuer, now)?);
            }
        }
        findings.extend(self.told(self.met(|url| visitor.exchange(seen, url))?));
        let notes = self.notes(seen, &visitor)?;
        if findings.is_empty() {
            return Ok(Planned::from(Plan::Converged).with_notes(notes));
        }
        let join = |texts: Vec<String>| texts.join("; ");
        Ok(Planned::from(Plan::Wait(Condition {
            what: format!("{} is served as the inventory says", self.config.domain),
            seen: join(findings.iter().map(|finding| finding.what.clone()).collect()),
            cure: join(findings.into_iter().map(|finding| finding.cure).collect()),
            within: PATIENCE,
        }))
        .with_notes(notes))
    }
}

impl Site {
    /// As cert-manager plans it; none: it does not say, or can't be asked.
    fn renewal(&self, seen: &View<'_>) -> Option<Renewal> {
        seen.object(&self.acme.as_ref()?.object()).ok().flatten().and_then(Renewal::of)
    }
}
