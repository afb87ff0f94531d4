//! What a visitor meets on a site's pages, and on the ways that lead to them.

use crate::model::{Exchange, Finding, Missing, Seen};

use super::redirect::{Redirect, Wrong};
use super::{Site, addition, circle, page};

/// What helps where the redirects are ours.
const MANAGED: &str = "bedplate bootstrap puts them up; where they stand and this stays: kubectl -n kube-system logs deployment/traefik";

/// What is not as it must be.
pub struct Met {
    findings: Vec<Finding>,
    /// Redirects that the chart lacks, each with what was met in its place.
    lacking: Vec<(Redirect, String)>,
}

impl Met {
    /// Each by itself.
    pub fn whats(&self) -> impl Iterator<Item = &str> {
        let findings = self.findings.iter().map(|finding| finding.what.as_str());
        findings.chain(self.lacking.iter().map(|(_, what)| what.as_str()))
    }
}

impl Site {
    /// Pages, then circles, then each redirect, of which `answer` tells what came of it.
    ///
    /// # Errors
    /// A question was not asked.
    pub fn met<'a>(&self, answer: impl Fn(&str) -> Seen<&'a Exchange>) -> Result<Met, Missing> {
        let mut met = Met { findings: Vec::new(), lacking: Vec::new() };
        for (url, check) in self.pages() {
            met.findings.extend(page::judge(&url, answer(&url), check)?);
        }
        let redirects = self.redirects();
        let urls: Vec<String> = redirects.iter().map(|redirect| redirect.from.clone()).chain(self.target()).collect();
        let circles = circle::circles(&urls, |url| answer(url).ok().flatten());
        met.findings.extend(circles.iter().map(|circle| circle::told(circle, &self.origin())));
        for redirect in redirects {
            let wrong = redirect.judge(answer(&redirect.from))?;
            match wrong.filter(|_| !circles.iter().flatten().any(|url| *url == redirect.from)) {
                Some(Wrong { what, cure: Some(cure) }) => met.findings.push(Finding::new(what, cure)),
                Some(Wrong { what, cure: None }) => met.lacking.push((redirect, what)),
                None => {}
            }
        }
        Ok(met)
    }

    /// With cures. What the chart lacks is told once, as a whole.
    pub fn told(&self, met: Met) -> Vec<Finding> {
        let Met { mut findings, lacking } = met;
        if !lacking.is_empty() {
            let (lacking, whats): (Vec<Redirect>, Vec<String>) = lacking.into_iter().unzip();
            let cure = if self.config.manage_redirects { MANAGED.to_owned() } else { addition::of(&lacking, &self.namespace) };
            findings.push(Finding::new(whats.join("; "), cure));
        }
        findings
    }
}
