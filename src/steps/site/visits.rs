//! What is asked of a site, as a visitor and as a CA would.

use crate::inventory::{self, Tls};

use super::super::challenge_probe;
use super::Site;
use super::redirect::Redirect;

/// Nobody's page: it tells whether a redirect keeps the path.
const PROBE: &str = "bedplate-probe";

impl Site {
    fn scheme(&self) -> &'static str {
        match self.config.tls {
            Tls::Off => "http",
            Tls::Acme | Tls::SelfSigned | Tls::OwnCa => "https",
        }
    }

    /// Where the site is at home.
    pub fn origin(&self) -> String {
        format!("{}://{}", self.scheme(), self.config.domain)
    }

    /// Each page's URL and what must be there.
    pub fn pages(&self) -> impl Iterator<Item = (String, &inventory::Check)> {
        self.config.checks.iter().map(|check| (format!("{}{}", self.origin(), check.path), check))
    }

    /// Plain http to https, and every other name to the domain.
    pub fn redirects(&self) -> Vec<Redirect> {
        let home = format!("{}/{PROBE}", self.origin());
        let from = |scheme: &str, name: &str| format!("{scheme}://{name}/{PROBE}");
        let mut redirects = Vec::new();
        if self.config.tls != Tls::Off {
            redirects.push(Redirect { from: from("http", &self.config.domain), to: vec![home.clone()] });
        }
        for name in &self.config.redirect_from {
            redirects.push(Redirect { from: from(self.scheme(), name), to: vec![home.clone()] });
            if self.config.tls != Tls::Off {
                redirects.push(Redirect { from: from("http", name), to: vec![home.clone(), from("https", name)] });
            }
        }
        redirects
    }

    /// All that is judged of the pages and the ways that lead to them.
    pub fn urls(&self) -> impl Iterator<Item = String> {
        let sent_on = self.redirects().into_iter().map(|redirect| redirect.from).chain(self.target());
        self.pages().map(|(url, _)| url).chain(sent_on)
    }

    /// Where they all lead: it must not lead back.
    pub fn target(&self) -> Option<String> {
        (!self.redirects().is_empty()).then(|| format!("{}/{PROBE}", self.origin()))
    }

    /// Where a CA looks for the challenge of each name.
    pub fn challenges(&self) -> impl Iterator<Item = (&str, String)> {
        let names = self.config.names().filter(|_| self.config.tls == Tls::Acme);
        names.map(|name| (name, challenge_probe::url(name)))
    }
}
