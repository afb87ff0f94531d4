//! A temporary responder on the challenge's path, before anything is ordered: for each name a pod with the image and the labels of
//! cert-manager's own solver, in the site's namespace, with a Service and an Ingress as the solver has them, so that the same policies and
//! admission rules judge it. The release is held up until its random token comes back from every address of the name.
//!
//! A responder stays for as long as an order is due, and goes in the first look after. So nothing need be remembered, and a run that
//! was killed is gone on with. What nobody comes back to ends by itself. `bedplate verify --probe` puts them up for every name, with no
//! order due, and takes them away again.

mod due;
mod objects;
mod occasion;
mod reach;
mod start;
mod visits;

use std::time::Duration;

use crate::inventory::{Consent, Inventory};
use crate::model::{Action, ApiAction, ApiQuestion, Condition, Finding, Missing, Note, Plan, Planned, Question, Scope, Step, StepId, View};

use super::acme_site::AcmeSite;
use super::challenge_probe::{Authority, dns};
use super::drift;
use objects::Responder;
use occasion::Occasion;

/// The image may have to be pulled first.
const STARTS: Duration = Duration::from_secs(180);
/// Traefik takes a route up in seconds, and lets go of one.
const REACHED: Duration = Duration::from_secs(60);

struct Responders {
    sites: Vec<AcmeSite>,
    authority: Authority,
    occasion: Occasion,
}

/// A name that must be reached, and whose it is.
struct Due<'a> {
    site: &'a AcmeSite,
    name: &'a str,
}

/// One for all sites with a certificate by ACME: their responders start side by side.
pub(super) fn steps(inventory: &Inventory) -> Vec<Box<dyn Step>> {
    let left_out = inventory.consents.contains(&Consent::NoChallengeProbe);
    of(inventory, if left_out { Occasion::Unprobed } else { Occasion::Order })
}

/// What tries every name without ordering anything, and what takes away again all that was put up for it. No part of the flow.
#[must_use]
pub fn probe(inventory: &Inventory) -> [Vec<Box<dyn Step>>; 2] {
    [Occasion::Probe, Occasion::Over].map(|occasion| of(inventory, occasion))
}

fn of(inventory: &Inventory, occasion: Occasion) -> Vec<Box<dyn Step>> {
    let sites: Vec<_> = AcmeSite::all(inventory).collect();
    if sites.is_empty() {
        return Vec::new();
    }
    vec![Box::new(Responders { sites, authority: Authority::of(inventory), occasion })]
}

impl Step for Responders {
    fn id(&self) -> StepId {
        self.occasion.step()
    }

    fn scope(&self) -> Scope {
        Scope::Cluster
    }

    fn questions(&self, seen: &View<'_>) -> Vec<Question> {
        let mut questions = vec![objects::question()];
        if self.occasion.orders() {
            questions.extend(self.sites.iter().flat_map(due::questions));
        }
        let (Ok(due), Ok(live)) = (self.due(seen), objects::live(seen)) else { return questions };
        if due.is_empty() || self.occasion == Occasion::Unprobed {
            return questions;
        }
        questions.push(Question::Api(ApiQuestion::Object(objects::controller())));
        for due in &due {
            questions.extend(dns::questions(due.name, self.authority));
            questions.extend(due.responder(&live).into_iter().flat_map(|responder| self.visited(seen, due, responder)));
        }
        questions
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        let (due, live) = (self.due(seen)?, objects::live(seen)?);
        let left_out = self.occasion == Occasion::Unprobed;
        let idle: Vec<_> = live.iter().filter(|job| !job.goes && (left_out || !due.iter().any(|due| due.is_for(job)))).collect();
        if !idle.is_empty() {
            let reasons = idle.iter().map(|job| self.occasion.ends(job.domain)).collect();
            return Ok(Planned::act(idle.into_iter().map(|job| Action::Api(ApiAction::Delete(job.job.clone()))).collect(), reasons));
        }
        if left_out {
            let warning = |due: &Due<'_>| Finding::new(format!("{} is ordered without the challenge probe", due.name), "");
            return Ok(Planned::from(Plan::Converged).with_notes(due.iter().map(warning).map(Note::Warning).collect()));
        }
        let live: Vec<_> = live.into_iter().filter(|job| due.iter().any(|due| due.is_for(job))).collect();
        let lacking: Vec<_> = due.iter().filter(|due| !live.iter().any(|job| due.is_for(job))).collect();
        if !lacking.is_empty() {
            return start::start(seen, &lacking, self.occasion);
        }
        if let Some(job) = live.iter().find(|job| job.goes) {
            return Ok(waiting(format!("{} is gone", job.job), "it is being deleted".into(), String::new(), REACHED).into());
        }
        let ways = live.iter().map(Responder::way).collect::<Result<Vec<_>, _>>()?;
        let made = drift::mend(ways.iter().flatten(), seen)?;
        if made.plan != Plan::Converged {
            return Ok(made);
        }
        for job in &live {
            if let Some(wait) = start::unstarted(seen, job, self.occasion)? {
                return Ok(wait.into());
            }
        }
        self.reached(seen, &due, &live)
    }
}

impl Responders {
    fn due<'a>(&'a self, seen: &View<'_>) -> Result<Vec<Due<'a>>, Missing> {
        let mut all = Vec::new();
        for site in &self.sites {
            let names = match self.occasion {
                Occasion::Order | Occasion::Unprobed => due::names(site, seen)?,
                Occasion::Probe => site.names.iter().map(String::as_str).collect(),
                Occasion::Over => Vec::new(),
            };
            all.extend(names.into_iter().map(|name| Due { site, name }));
        }
        Ok(all)
    }
}

impl Due<'_> {
    fn is_for(&self, responder: &Responder<'_>) -> bool {
        responder.domain == self.name && responder.job.namespace == self.site.carrier.namespace()
    }

    fn responder<'a>(&self, live: &'a [Responder<'a>]) -> Option<&'a Responder<'a>> {
        live.iter().find(|responder| self.is_for(responder))
    }
}

fn waiting(what: String, seen: String, cure: String, within: Duration) -> Plan {
    Plan::Wait(Condition { what, seen, cure, within })
}
