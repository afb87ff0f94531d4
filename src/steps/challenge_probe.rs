//! The challenge probe: before anything is ordered, every name of an ACME site leads to this cluster, its CAA lets the CA issue, and
//! port 80 is answered by the ingress (contract §4.9). A failed order costs hours of back-off; a question costs nothing. Where production
//! has issued for all names nothing is ordered: there it is a warning, and holds nothing up.

pub(super) mod dns;
pub(super) mod stranger;

use std::net::IpAddr;
use std::time::Duration;

use crate::inventory::{Consent, Inventory};
use crate::model::{
    Condition, Exchange, Finding, HostQuestion, Missing, Note, OutsideQuestion, Plan, Planned, Question, Scope, Step, StepId, View,
};

use super::acme_site::AcmeSite;
use super::site::page::readable;
use stranger::silent;

const PATH: &str = "/.well-known/acme-challenge/bedplate-probe";

/// Who will look the names up when it validates them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Authority {
    /// Sees public DNS, and obeys CAA for `letsencrypt.org`.
    LetsEncrypt,
    /// Sees what we see.
    Own,
}

struct Probe {
    site: AcmeSite,
    authority: Authority,
}

/// One step a site with a certificate by ACME, unless the user wants to go without.
pub(super) fn steps(inventory: &Inventory) -> Vec<Box<dyn Step>> {
    if inventory.consents.contains(&Consent::NoChallengeProbe) {
        return Vec::new();
    }
    let authority = Authority::of(inventory);
    AcmeSite::all(inventory).map(|site| Box::new(Probe { site, authority }) as Box<dyn Step>).collect()
}

impl Authority {
    /// Of the inventory's production server.
    pub fn of(inventory: &Inventory) -> Self {
        let own = inventory.acme.as_ref().is_some_and(|acme| acme.production.server.is_some());
        if own { Self::Own } else { Self::LetsEncrypt }
    }
}

impl Step for Probe {
    fn id(&self) -> StepId {
        StepId::named("challenge-probe", &self.site.domain)
    }

    fn scope(&self) -> Scope {
        Scope::Cluster
    }

    fn questions(&self, seen: &View<'_>) -> Vec<Question> {
        let mut questions = vec![seen.ask(HostQuestion::Facts), self.site.carrier.question()];
        questions.extend(self.site.issued());
        questions.extend(self.site.names.iter().flat_map(|name| dns::questions(name, self.authority)));
        questions.extend(
            self.site
                .address
                .into_iter()
                .flat_map(|address| self.site.names.iter().map(move |name| Question::Outside(OutsideQuestion::get(&url(name), address)))),
        );
        questions
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        let released = self.site.carrier.is_there(seen)?;
        let Some(address) = self.site.address else {
            let finding = Finding::new("nothing says where visitors find the server", "set public_ip of the server");
            return Ok(Plan::Unmet(vec![finding]).into());
        };
        let issued = self.site.is_issued(seen)?;
        let mut findings = Vec::new();
        let mut notes = Vec::new();
        for name in &self.site.names {
            let (wrong, unknown) = dns::judge(seen, name, address, self.authority)?;
            match issued {
                true => notes.extend(wrong.into_iter().map(warned)),
                false => findings.extend(wrong),
            }
            notes.extend(unknown);
        }
        if !findings.is_empty() {
            return Ok(Planned::from(Plan::Unmet(findings)).with_notes(notes));
        }
        for name in &self.site.names {
            let url = url(name);
            if let Some(finding) = unreached(&url, seen.exchange(&url, address), address, released)? {
                if issued {
                    notes.push(warned(finding));
                    continue;
                }
                let Finding { what, cure } = finding;
                return Ok(Plan::Wait(Condition {
                    what: format!("port 80 of {name} reaches the ingress"),
                    seen: what,
                    cure,
                    within: Duration::from_secs(60),
                })
                .into());
            }
        }
        Ok(Planned::from(Plan::Converged).with_notes(notes))
    }
}

/// What would hold an order up, where the next one is a renewal.
fn warned(Finding { what, cure }: Finding) -> Note {
    Note::Warning(Finding::new(format!("{what}: its certificate will not be renewed so"), cure))
}

/// What is asked of a name that has no challenge yet.
pub(super) fn url(name: &str) -> String {
    format!("http://{name}{PATH}")
}

/// What stands between the CA and the ingress.
fn unreached(url: &str, answer: Result<Option<&Exchange>, Missing>, address: IpAddr, released: bool) -> Result<Option<Finding>, Missing> {
    match readable(answer)? {
        Err(why) => Ok(Some(silent(&why, address, 80))),
        // Once the application is there, it may answer as it likes: the solver's own Ingress goes before it.
        Ok(_) if released => Ok(None),
        // Traefik, with no route yet, says 404; an entry point may redirect, and the CA follows.
        Ok(exchange) => Ok(stranger::judge(url, exchange, address).or_else(|| {
            let what = format!("{} comes back on port 80 of {address}, and Traefik would answer 404 there", exchange.status);
            let cure = format!("free port 80 of {address} for Traefik, or remove the Ingress that catches the path {PATH}");
            let ingress = matches!(exchange.status, 301 | 302 | 303 | 307 | 308 | 404);
            (!ingress).then(|| Finding::new(what, cure))
        })),
    }
}
