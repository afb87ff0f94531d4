//! Versions of TLS that a site should refuse (RFC 8996): told, for the rule is Traefik's, or a proxy's before it.

use crate::model::{Finding, Missing, Note, OutsideQuestion, Question, View};

use super::Site;
use super::page::readable;
use super::trusted::Visitor;

impl Site {
    /// What to ask once it is served.
    pub fn old_tls_question(&self, visitor: &Visitor) -> Question {
        Question::Outside(OutsideQuestion::OldTls { name: self.config.domain.clone(), address: visitor.address })
    }

    /// Which of them it takes.
    ///
    /// # Errors
    /// The question was not asked.
    pub fn old_tls(&self, seen: &View<'_>, visitor: &Visitor) -> Result<Option<Note>, Missing> {
        let name = &self.config.domain;
        if !self.is_served(seen, visitor) {
            return Ok(None);
        }
        let taken = match seen.old_tls(name, visitor.address) {
            Ok(None) => return Ok(None),
            taken => readable(taken)?,
        };
        Ok(Some(match taken {
            Ok(versions) => Note::Warning(Finding::new(
                format!("{name} still takes {versions}, which no browser needs and RFC 8996 forbids"),
                "set minVersion: VersionTLS12 in Traefik's TLSOption default, or in the proxy before it",
            )),
            Err(why) => Note::Fact(format!("whether {name} still takes TLS 1.0 or 1.1 was not seen: {why}")),
        }))
    }
}
