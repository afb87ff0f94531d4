//! What to know of a site that is well.

use crate::inventory::Tls;
use crate::model::{Missing, Note, View};

use super::trusted::Visitor;
use super::{Site, challenge, hsts, trust};

impl Site {
    /// What is served; then what may bite later: at the next renewal, or when https is to be left again.
    ///
    /// # Errors
    /// A question was not asked.
    pub fn notes(&self, seen: &View<'_>, visitor: &Visitor) -> Result<Vec<Note>, Missing> {
        let names: Vec<&str> = self.config.names().collect();
        let served = names.iter().filter_map(|name| Some((*name, visitor.served(seen, name).ok().flatten()?)));
        let mut notes = if self.config.tls != Tls::Off { trust::facts(served) } else { Vec::new() };
        if let (Tls::SelfSigned, Some(certificate)) = (self.config.tls, &self.config.certificate) {
            let namespace = &self.namespace;
            notes.push(Note::Fact(format!(
                "visitors trust it once they trust its CA: kubectl -n {namespace} get secret {certificate} -o jsonpath='{{.data.ca\\.crt}}' | base64 -d"
            )));
        }
        notes.extend(self.old_tls(seen, visitor)?);
        notes.extend(self.hairpin(seen, visitor)?);
        notes.extend(self.by_name(seen, visitor)?);
        for (name, url) in self.challenges() {
            notes.extend(challenge::judge(name, &names, visitor.exchange(seen, &url))?.map(Note::Warning));
        }
        let pages = self.pages().map(|(url, _)| url).filter(|_| self.config.tls != Tls::Off);
        let sent = pages.filter_map(|url| Some((visitor.exchange(seen, &url).ok().flatten()?.hsts.as_str(), url)));
        notes.extend(sent.filter_map(|(header, url)| hsts::judge(&url, header)).next());
        Ok(notes)
    }
}
