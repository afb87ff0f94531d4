//! The same from the host: its programs and its pods, cert-manager among them, go out to the site's address and in again. Visitors do not
//! feel what is wrong there: so it is a warning.

use std::net::IpAddr;

use crate::inventory::Tls;
use crate::model::{Finding, Hairpin, HostQuestion, Missing, Note, Phase, Question, View, Why};

use super::Site;
use super::trusted::Visitor;

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

    /// What to ask once visitors are served.
    pub fn hairpin_question(&self, seen: &View<'_>, visitor: &Visitor) -> Option<Question> {
        self.way(seen, visitor).ok().map(|way| Question::Hairpin(seen.host().clone(), way))
    }

    /// What the host meets there that visitors do not.
    ///
    /// # Errors
    /// A question was not asked.
    pub fn hairpin(&self, seen: &View<'_>, visitor: &Visitor) -> Result<Option<Note>, Missing> {
        if !self.is_served(seen, visitor) {
            return Ok(None);
        }
        let way = self.way(seen, visitor)?;
        let Hairpin { name, address, .. } = &way;
        let what = match seen.hairpin(&way) {
            Err(Missing { why: Why::Unreadable(why), .. }) => {
                return Ok(Some(Note::Fact(format!("whether the host itself reaches https://{name} was not looked at: {why}"))));
            }
            Err(missing) => return Err(missing),
            Ok(None) => format!("visitors are served, but the host itself gets no answer from https://{name} at {address}"),
            Ok(Some(served)) => {
                let why = match &served.phase {
                    Phase::Production => return Ok(None),
                    Phase::Staging => "it is the staging CA's",
                    Phase::Untrusted(why) => why,
                };
                format!("visitors are served, but at {address} the host itself gets {} for {name}: {why}", served.subject)
            }
        };
        Ok(Some(Note::Warning(Finding::new(what, cure(*address, visitor.address)))))
    }

    /// Where visitors go, unless the host's own resolver leads elsewhere only.
    ///
    /// # Errors
    /// The host's resolver was not asked.
    fn way(&self, seen: &View<'_>, visitor: &Visitor) -> Result<Hairpin, Missing> {
        let name = self.config.domain.clone();
        let resolved = match seen.resolved(&name) {
            Err(missing) if !matches!(missing.why, Why::Unreadable(_)) => return Err(missing),
            resolved => resolved.ok().flatten(),
        };
        // Debian gives the host's own name to an address of the loopback, for the host's programs alone.
        let mut led = resolved.into_iter().flatten().copied().filter(|address| !address.is_loopback());
        let address = led.clone().find(|address| *address == visitor.address).or_else(|| led.next()).unwrap_or(visitor.address);
        Ok(Hairpin { name, address, trusted: visitor.trusted.clone() })
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
