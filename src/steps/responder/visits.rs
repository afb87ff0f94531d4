//! Responders are visited: by this machine at every address of their names, as a CA would, and by the host itself.

use std::net::IpAddr;

use crate::model::{ApiQuestion, Finding, HostQuestion, Missing, Note, OutsideQuestion, Plan, Planned, Question, RecordKind, View};

use super::super::challenge_probe::stranger;
use super::super::site::page::readable;
use super::objects::Responder;
use super::reach::{Seen, Visit};
use super::{Due, REACHED, Responders, start, waiting};

impl Responders {
    /// What must be known of a responder that is there: the way to it, its pod, and, once that runs, what comes back.
    pub fn visited(&self, seen: &View<'_>, due: &Due<'_>, responder: &Responder<'_>) -> Vec<Question> {
        let mut questions = start::questions(responder);
        let Ok(way) = responder.way() else { return questions };
        let is_there = |manifest| matches!(seen.dry_run(manifest), Ok(Some(dry_run)) if dry_run.live.is_some());
        let ready = way.iter().all(is_there) && matches!(start::unstarted(seen, responder, self.occasion), Ok(None));
        questions.extend(way.map(|manifest| Question::Api(ApiQuestion::DryRun(manifest))));
        let url = responder.url();
        for address in self.addresses(seen, due).into_iter().filter(|_| ready) {
            questions.push(seen.ask(HostQuestion::Get { url: url.clone(), address }));
            questions.push(Question::Outside(OutsideQuestion::get(&url, address)));
            questions.push(Question::Outside(OutsideQuestion::served(due.name, address)));
        }
        questions
    }

    /// Where a CA may come in: at the inventory's address, and wherever DNS leads it.
    fn addresses(&self, seen: &View<'_>, due: &Due<'_>) -> Vec<IpAddr> {
        let records = |kind| seen.records(due.name, kind, self.authority.resolver()).ok().flatten().into_iter().flatten();
        let told = [RecordKind::A, RecordKind::Aaaa].into_iter().flat_map(records).filter_map(|text| text.parse().ok());
        let mut addresses: Vec<IpAddr> = due.site.address.into_iter().chain(told).collect();
        addresses.sort();
        addresses.dedup();
        addresses
    }

    /// Every name, at every address.
    pub fn reached(&self, seen: &View<'_>, due: &[Due<'_>], live: &[Responder<'_>]) -> Result<Planned, Missing> {
        let mut notes = Vec::new();
        for (due, responder) in due.iter().filter_map(|due| Some((due, due.responder(live)?))) {
            for address in self.addresses(seen, due) {
                notes.extend(met_by_host(seen, responder, address)?.map(Note::Warning));
                let answer = seen.exchange(&responder.url(), address);
                match (Visit { responder, address }).judge(answer, seen.served(due.name, address))? {
                    Seen::Whole => {}
                    Seen::ToHttps => notes.push(Note::Fact(format!(
                        "{}: plain http is redirected to https, which answers; what a CA finds there is not seen before there is a certificate",
                        due.name
                    ))),
                    Seen::Unseen(why) => {
                        let what = format!("nobody tried the way to {} at {address}: {why}", due.name);
                        notes.push(Note::Warning(Finding::new(what, "a CA asks IPv6 first: see from elsewhere that it answers")));
                    }
                    Seen::Barred(Finding { what, cure }) => {
                        let reached = format!("a challenge of {} would be found at {address}", due.name);
                        return Ok(waiting(reached, what, format!("{cure}{}", self.occasion.around()), REACHED).into());
                    }
                }
            }
        }
        Ok(Planned::from(Plan::Converged).with_notes(notes))
    }
}

/// What the host itself meets on that way. cert-manager, whose way is much the same, looks before it asks the CA.
fn met_by_host(seen: &View<'_>, responder: &Responder<'_>, address: IpAddr) -> Result<Option<Finding>, Missing> {
    let why = match readable(seen.host_exchange(&responder.url(), address))? {
        Ok(exchange) if exchange.body.trim_end() == responder.key() => return Ok(None),
        // The ingress, be it that it takes the route up just now.
        Ok(exchange) => match stranger::judge(&responder.url(), exchange, address) {
            None => return Ok(None),
            Some(stranger) => stranger.what,
        },
        // cert-manager goes by IPv4 then, as every client does that has no other way.
        Err(why) if address.is_ipv6() && why.contains("Network is unreachable") => return Ok(None),
        Err(why) => why,
    };
    let what = format!("the host itself does not reach {} at {address}: {why}", responder.domain);
    let cure = "cert-manager looks from there before it asks the CA: let the router send the host's own traffic back in (NAT loopback), or let \
                the cluster's DNS answer with the inner address";
    Ok(Some(Finding::new(what, cure)))
}
