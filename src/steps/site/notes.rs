//! What to know of a site that is well.

use std::net::IpAddr;

use crate::inventory::Tls;
use crate::model::{Missing, Note, View};

use super::{Site, challenge, hsts, trust};

impl Site {
    /// What is served; then what may bite later: at the next renewal, or when https is to be left again.
    ///
    /// # Errors
    /// A question was not asked.
    pub fn notes(&self, seen: &View<'_>, address: IpAddr) -> Result<Vec<Note>, Missing> {
        let names: Vec<&str> = self.config.names().collect();
        let served = names.iter().filter_map(|name| Some((*name, seen.served(name, address).ok().flatten()?)));
        let mut notes = if self.config.tls == Tls::Acme { trust::facts(served) } else { Vec::new() };
        for (name, url) in self.challenges() {
            notes.extend(challenge::judge(name, &names, seen.exchange(&url, address))?.map(Note::Warning));
        }
        let pages = self.pages().map(|(url, _)| url).filter(|_| self.config.tls == Tls::Acme);
        let sent = pages.filter_map(|url| Some((seen.exchange(&url, address).ok().flatten()?.hsts.as_str(), url)));
        notes.extend(sent.filter_map(|(header, url)| hsts::judge(&url, header)).next());
        Ok(notes)
    }
}
