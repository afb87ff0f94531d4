//! What visitors of a site must see: its pages, its redirects, a trusted certificate with days to spare (S3-91..95). Only checked: Ingress
//! and Middleware are the chart's, so a cure shows what to add there.

mod page;
mod redirect;
mod trust;

use std::net::IpAddr;
use std::time::Duration;

use crate::inventory::{self, Inventory, Tls};
use crate::model::{
    ApiQuestion, Condition, Finding, Missing, OperatorQuestion, OutsideQuestion, Plan, Planned, Question, Scope, Step, StepId, View,
};

use super::acme_site::{AcmeSite, ingress};
use super::renewal::Renewal;

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
        let release = inventory.releases.iter().find(|release| release.name == config.release);
        let play = || inventory.plays.iter().find(|play| play.name == config.release).and_then(|play| play.namespaces.first());
        let namespace = release.map(|release| &release.namespace).or_else(play).cloned().unwrap_or_default();
        Box::new(Site { config: config.clone(), acme: AcmeSite::of(inventory, config), namespace, address: ingress(inventory) }) as Box<dyn Step>
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

    fn questions(&self, _: &View<'_>) -> Vec<Question> {
        let Some(address) = self.address else { return Vec::new() };
        let get = |url| Question::Outside(OutsideQuestion::Get { url, address });
        let mut questions: Vec<_> = self.pages().map(|(url, _)| get(url)).chain(self.redirects().map(|(from, _)| get(from))).collect();
        if self.config.tls == Tls::Acme {
            questions.push(Question::Operator(OperatorQuestion::Clock));
            questions.extend(self.acme.iter().map(|acme| Question::Api(ApiQuestion::Object(acme.object()))));
            questions.extend(self.config.names().map(|name| Question::Outside(OutsideQuestion::Served { name: name.into(), address })));
        }
        questions
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        let Some(address) = self.address else {
            let finding = Finding::new("nothing says where visitors find the server", "set public_ip of the server");
            return Ok(Plan::Unmet(vec![finding]).into());
        };
        let mut findings = Vec::new();
        if self.config.tls == Tls::Acme {
            let (now, renewal) = (seen.clock()?, self.renewal(seen));
            for name in self.config.names() {
                findings.extend(trust::judge(name, seen.served(name, address), renewal, now)?);
            }
        }
        for (url, check) in self.pages() {
            findings.extend(page::judge(&url, seen.exchange(&url, address), check)?);
        }
        for (from, to) in self.redirects() {
            findings.extend(redirect::judge(&from, &to, seen.exchange(&from, address), &self.namespace)?);
        }
        if findings.is_empty() {
            return Ok(Plan::Converged.into());
        }
        let join = |texts: Vec<String>| texts.join("; ");
        Ok(Plan::Wait(Condition {
            what: format!("{} is served as the inventory says", self.config.domain),
            seen: join(findings.iter().map(|finding| finding.what.clone()).collect()),
            cure: join(findings.into_iter().map(|finding| finding.cure).collect()),
            within: PATIENCE,
        })
        .into())
    }
}

impl Site {
    /// As cert-manager plans it; none: it does not say, or can't be asked.
    fn renewal(&self, seen: &View<'_>) -> Option<Renewal> {
        seen.object(&self.acme.as_ref()?.object()).ok().flatten().and_then(Renewal::of)
    }

    fn scheme(&self) -> &'static str {
        match self.config.tls {
            Tls::Acme => "https",
            Tls::Off => "http",
        }
    }

    /// Each page's URL and what must be there.
    fn pages(&self) -> impl Iterator<Item = (String, &inventory::Check)> {
        self.config.checks.iter().map(|check| (format!("{}://{}{}", self.scheme(), self.config.domain, check.path), check))
    }

    /// From where to where a visitor is sent on. A path tells whether it is kept.
    fn redirects(&self) -> impl Iterator<Item = (String, String)> {
        let (scheme, domain) = (self.scheme(), &self.config.domain);
        let target = format!("{scheme}://{domain}/bedplate-probe");
        let plain = (self.config.tls == Tls::Acme).then(|| (format!("http://{domain}/bedplate-probe"), target.clone()));
        let others = self.config.redirect_from.iter().map(move |name| (format!("{scheme}://{name}/bedplate-probe"), target.clone()));
        plain.into_iter().chain(others)
    }
}
