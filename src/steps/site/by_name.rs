//! Where DNS leads visitors besides the inventory's address: who has IPv6 goes there first. That DNS leads elsewhere at all is told before
//! (`preflight`, `challenge-probe`); what visitors meet there is told here.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::inventory::Tls;
use crate::model::{Finding, Missing, Note, OutsideQuestion, Phase, Question, RecordKind, Resolver, View};

use super::super::challenge_probe::stranger::silent;
use super::Site;
use super::page::readable;
use super::trusted::Visitor;

const KINDS: [RecordKind; 2] = [RecordKind::A, RecordKind::Aaaa];

impl Site {
    /// Where the domain leads.
    pub fn dns_questions(&self) -> Vec<Question> {
        let records = |kind| OutsideQuestion::Dns { name: self.config.domain.clone(), kind, resolver: Resolver::System };
        if self.config.tls == Tls::Off { Vec::new() } else { KINDS.map(records).map(Question::Outside).into() }
    }

    /// What to ask there once the site is served where it should be.
    pub fn by_name_questions(&self, seen: &View<'_>, visitor: &Visitor) -> Vec<Question> {
        self.others(seen, visitor).map(|visitor| visitor.serve(seen, &self.config.domain)).collect()
    }

    /// What visitors meet there.
    ///
    /// # Errors
    /// A question was not asked.
    pub fn by_name(&self, seen: &View<'_>, visitor: &Visitor) -> Result<Vec<Note>, Missing> {
        let mut notes = Vec::new();
        if !self.is_served(seen, visitor) {
            return Ok(notes);
        }
        let name = &self.config.domain;
        for other in self.others(seen, visitor) {
            let address = other.address;
            let (what, cure) = match readable(other.served(seen, name))? {
                Err(why) if address.is_ipv6() && why.contains("Network is unreachable") => {
                    notes.push(Note::Fact(format!("nobody tried https://{name} at {address}, where DNS leads, too: {why}")));
                    continue;
                }
                Err(why) => {
                    let Finding { what, cure } = silent(&why, address, 443);
                    (what, cure)
                }
                Ok(served) => {
                    let why = match &served.phase {
                        Phase::Production => continue,
                        Phase::Staging => "it is the staging CA's",
                        Phase::Untrusted(why) => why,
                    };
                    (format!("{} is served there: {why}", served.subject), "take the record away, or let it lead to the server".to_owned())
                }
            };
            notes.push(Note::Warning(Finding::new(format!("DNS leads visitors of {name} to {address}, too, and {what}"), cure)));
        }
        Ok(notes)
    }

    /// A visitor at each of those addresses.
    fn others(&self, seen: &View<'_>, visitor: &Visitor) -> impl Iterator<Item = Visitor> {
        let records = |kind| seen.records(&self.config.domain, kind, Resolver::System).ok().flatten().into_iter().flatten();
        let led: BTreeSet<IpAddr> = KINDS.into_iter().flat_map(records).filter_map(|text| text.parse().ok()).collect();
        let (own, side, trusted) = (visitor.address, visitor.side, visitor.trusted.clone());
        led.into_iter().filter(move |address| *address != own).map(move |address| Visitor { side, address, trusted: trusted.clone() })
    }
}
