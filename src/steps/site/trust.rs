//! The certificate of one name: visitors trust it, and it has time to spare.

use crate::model::{Finding, Missing, Note, Phase, Served};

use super::super::certificate::served::{another, date, default, is_default, listed, out_of_time};
use super::super::leaf::Leaf;
use super::super::renewal::{Progress, Renewal, span};
use super::page::readable;

/// Who renews the certificate.
pub enum Issuer {
    /// With its own word on when; none: it does not say.
    CertManager(Option<Renewal>),
    /// The site's own CA, made or the user's.
    Own {
        /// What lies in the Secret.
        leaf: Leaf,
        /// What helps against a certificate that is no good.
        cure: &'static str,
    },
}

impl Issuer {
    fn cured(&self, what: String, cure: &str) -> Finding {
        match self {
            Self::CertManager(_) => Finding::new(what, cure),
            Self::Own { cure, .. } => Finding::new(what, *cure),
        }
    }
}

/// What visitors of `name` must not meet; none: all is well.
///
/// # Errors
/// The question was not asked.
pub fn judge(name: &str, served: Result<Option<&Served>, Missing>, issuer: &Issuer, now: i64) -> Result<Option<Finding>, Missing> {
    let served = match readable(served)? {
        Err(why) => {
            return Ok(Some(Finding::new(format!("{name} serves no certificate: {why}"), "let TCP 443 in, and see whether Traefik runs")));
        }
        Ok(served) => served,
    };
    if is_default(served) {
        return Ok(Some(default(name)));
    }
    let found = match issuer {
        Issuer::CertManager(_) => out_of_time(name, served, now),
        Issuer::Own { leaf, .. } => (served.sha256 != leaf.sha256).then(|| another(name, served, leaf)),
    };
    Ok(found.or_else(|| distrusted(name, served, issuer)).or_else(|| ends_soon(name, served, issuer, now)))
}

/// What visitors get, a line a certificate: its names, its key, by whom and until when.
pub fn facts<'a>(served: impl Iterator<Item = (&'a str, &'a Served)>) -> Vec<Note> {
    let mut told: Vec<(&Served, Vec<String>)> = Vec::new();
    for (name, served) in served.filter(|(_, served)| served.phase == Phase::Production) {
        match told.iter_mut().find(|(other, _)| other.sha256 == served.sha256) {
            Some((_, names)) => names.push(name.to_owned()),
            None => told.push((served, vec![name.to_owned()])),
        }
    }
    let line = |(served, names): (&Served, Vec<String>)| {
        let space = if served.key.is_empty() { "" } else { " " };
        let over = if served.version.is_empty() { "" } else { ", over " };
        let Served { key, issuer, not_after, version, .. } = served;
        Note::Fact(format!("{}: {key}{space}certificate by {issuer}, until {}{over}{version}", listed(&names), date(*not_after)))
    };
    told.into_iter().map(line).collect()
}

fn distrusted(name: &str, served: &Served, issuer: &Issuer) -> Option<Finding> {
    let why = match &served.phase {
        Phase::Production => return None,
        Phase::Staging => "it is the staging CA's",
        Phase::Untrusted(why) => why,
    };
    let cure = "run bedplate bootstrap again: it waits for the production certificate";
    Some(issuer.cured(format!("{name} serves {}, which visitors do not trust: {why}", served.subject), cure))
}

/// The Certificate's word counts for the leaf that it speaks of: an older one may be served still.
fn ends_soon(name: &str, served: &Served, issuer: &Issuer, now: i64) -> Option<Finding> {
    let planned = if let Issuer::CertManager(planned) = issuer { *planned } else { None };
    let own = planned.filter(|planned| planned.ends == served.not_after);
    let renewal = own.unwrap_or_else(|| Renewal::by_default(served.not_before, served.not_after));
    (renewal.progress(now) == Progress::Overdue).then(|| {
        let what = format!("the certificate of {name} ends in {}", span(served.not_after - now));
        issuer.cured(what, "its renewal fails: `bedplate diagnose` says why")
    })
}
