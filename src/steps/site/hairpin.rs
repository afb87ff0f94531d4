//! The same from the host: its programs and its pods, cert-manager among them, go out to the site's address and in again. Visitors do not
//! feel what is wrong there: so it is a warning.

use std::net::IpAddr;

use crate::inventory::Tls;
use crate::model::{Finding, HostQuestion, Missing, Note, Phase, Question, View, Why};

use super::Site;
use super::page::readable;
use super::trusted::{Side, Visitor};

/// What helps where the host meets another than visitors at the same address.
const INSTEAD: &str = "something answers in its place, as a router does that keeps port 80 for itself: let it send in what comes from inside \
                       (NAT loopback, hairpin NAT), or let the host's and the cluster's DNS answer with the inner address";

impl Site {
    /// Whether visitors are served well: before that there is nothing to compare with.
    pub fn is_served(&self, seen: &View<'_>, visitor: &Visitor) -> bool {
        let served = visitor.served(seen, &self.config.domain).ok().flatten();
        self.config.tls != Tls::Off && served.is_some_and(|served| served.phase == Phase::Production)
    }

    /// What must be known before the host can look.
    pub fn inner_question(&self, seen: &View<'_>) -> Option<Question> {
        (self.config.tls != Tls::Off).then(|| seen.ask(HostQuestion::Resolve(self.config.domain.clone())))
    }

    /// What to ask once visitors are served. No page is judged behind a handshake that fails, and where packets are dropped each takes its time.
    pub fn hairpin_questions(&self, seen: &View<'_>, visitor: &Visitor) -> Vec<Question> {
        let Ok(host) = self.inner(seen, visitor) else { return Vec::new() };
        let is_judged = match host.served(seen, &self.config.domain) {
            Ok(served) => served.is_some_and(|served| served.phase == Phase::Production),
            Err(missing) => matches!(missing.why, Why::NotAsked),
        };
        let gets = self.urls().filter(|_| is_judged).map(|url| host.get(seen, &url));
        std::iter::once(host.serve(seen, &self.config.domain)).chain(gets).collect()
    }

    /// What the host meets there that visitors do not.
    ///
    /// # Errors
    /// A question was not asked.
    pub fn hairpin(&self, seen: &View<'_>, visitor: &Visitor) -> Result<Option<Note>, Missing> {
        if !self.is_served(seen, visitor) {
            return Ok(None);
        }
        let host = self.inner(seen, visitor)?;
        let (name, address) = (&self.config.domain, host.address);
        let what = match host.served(seen, name) {
            Err(Missing { why: Why::Unreadable(why), .. }) => {
                return Ok(Some(Note::Fact(format!("whether the host itself reaches https://{name} was not looked at: {why}"))));
            }
            Err(missing) => return Err(missing),
            Ok(None) => format!("visitors are served, but the host itself gets no answer from https://{name} at {address}"),
            Ok(Some(served)) => {
                let why = match &served.phase {
                    Phase::Production => return self.differs(seen, visitor, &host),
                    Phase::Staging => "it is the staging CA's",
                    Phase::Untrusted(why) => why,
                };
                format!("visitors are served, but at {address} the host itself gets {} for {name}: {why}", served.subject)
            }
        };
        Ok(Some(Note::Warning(Finding::new(what, cure(address, visitor.address)))))
    }

    /// What the host meets behind the handshake that visitors do not.
    fn differs(&self, seen: &View<'_>, visitor: &Visitor, host: &Visitor) -> Result<Option<Note>, Missing> {
        let known = self.met(|url| visitor.exchange(seen, url))?;
        let is_silent = |side: &Visitor, url: &str| matches!(readable(side.exchange(seen, url)), Ok(Err(_)));
        // Where neither side gets an answer it is one thing, though each has its own words for it.
        let met = self.met(|url| match [host, visitor].iter().all(|side| is_silent(side, url)) {
            true => visitor.exchange(seen, url),
            false => host.exchange(seen, url),
        })?;
        let unknown: Vec<&str> = met.whats().filter(|what| known.whats().all(|known| known != *what)).collect();
        let what = format!("from the host itself, at {}, the site is not what visitors see: {}", host.address, unknown.join("; "));
        let cure = if host.address == visitor.address { INSTEAD.to_owned() } else { cure(host.address, visitor.address) };
        Ok((!unknown.is_empty()).then(|| Note::Warning(Finding::new(what, cure))))
    }

    /// Where visitors go, unless the host's own resolver leads elsewhere only.
    ///
    /// # Errors
    /// The host's resolver was not asked.
    fn inner(&self, seen: &View<'_>, visitor: &Visitor) -> Result<Visitor, Missing> {
        let resolved = match seen.resolved(&self.config.domain) {
            Err(missing) if !matches!(missing.why, Why::Unreadable(_)) => return Err(missing),
            resolved => resolved.ok().flatten(),
        };
        // Debian gives the host's own name to an address of the loopback, for the host's programs alone.
        let mut led = resolved.into_iter().flatten().copied().filter(|address| !address.is_loopback());
        let address = led.clone().find(|address| *address == visitor.address).or_else(|| led.next()).unwrap_or(visitor.address);
        Ok(Visitor { side: Side::Host, address, trusted: visitor.trusted.clone() })
    }
}

fn cure(address: IpAddr, public: IpAddr) -> String {
    if address == public {
        return "a router sends nothing back in that comes from inside: let it do so (NAT loopback, hairpin NAT), or let the host's and the \
                cluster's DNS answer with the inner address. cert-manager looks from inside before each renewal"
            .to_owned();
    }
    format!("there the host's own resolver leads it (/etc/hosts, an inner DNS), and visitors go to {public}: let it lead to the server")
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::inventory::Inventory;
    use crate::model::{Answer, HostId, Visit, World};

    #[derive(Deserialize)]
    struct Base {
        answers: Vec<(Question, Answer)>,
    }

    #[test]
    fn a_page_is_not_asked_for_again_behind_a_handshake_that_fails() {
        let inventory: Inventory = toml::from_str(include_str!("../../../tests/cases/inventories/shop.toml")).unwrap();
        let base: Base = toml::from_str(include_str!("../../../tests/cases/bases/shop-served.toml")).unwrap();
        let (site, droplet) = (&super::super::steps(&inventory)[0], HostId("droplet".into()));
        let mut world = World::default();
        for (question, answer) in base.answers {
            world.learn(question, answer);
        }
        let gets = |world: &World| {
            let asked = site.questions(&world.view(&droplet, &droplet));
            asked.iter().filter(|question| matches!(question, Question::Hairpin(_, Visit::Get { .. }))).count()
        };
        assert_eq!(gets(&world), 5);
        let served = |question: &Question| matches!(question, Question::Hairpin(_, Visit::Served { .. }));
        world.forget(served);
        assert_eq!(gets(&world), 5, "they go out beside the handshake");
        let asked = site.questions(&world.view(&droplet, &droplet)).into_iter().find(served);
        world.learn(asked.unwrap(), Answer::Absent);
        assert_eq!(gets(&world), 0);
    }
}
