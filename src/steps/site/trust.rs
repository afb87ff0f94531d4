//! The certificate of one name: visitors trust it, and it has time to spare.

use crate::model::{Finding, Missing, Note, Phase, Served};

use super::super::certificate::served::{date, default, is_default, listed, out_of_time};
use super::super::renewal::{Progress, Renewal, span};
use super::page::readable;

/// What visitors of `name` must not meet; none: all is well. `planned` is the Certificate's own word on its renewal.
///
/// # Errors
/// The question was not asked.
pub fn judge(name: &str, served: Result<Option<&Served>, Missing>, planned: Option<Renewal>, now: i64) -> Result<Option<Finding>, Missing> {
    let served = match readable(served)? {
        Err(why) => return Ok(Some(Finding::new(format!("{name} serves no certificate: {why}"), "let TCP 443 in, and see whether Traefik runs"))),
        Ok(served) => served,
    };
    if is_default(served) {
        return Ok(Some(default(name)));
    }
    Ok(out_of_time(name, served, now).or_else(|| distrusted(name, served)).or_else(|| ends_soon(name, served, planned, now)))
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
        let Served { key, issuer, not_after, .. } = served;
        Note::Fact(format!("{}: {key}{space}certificate by {issuer}, until {}", listed(&names), date(*not_after)))
    };
    told.into_iter().map(line).collect()
}

fn distrusted(name: &str, served: &Served) -> Option<Finding> {
    let why = match &served.phase {
        Phase::Production => return None,
        Phase::Staging => "it is the staging CA's",
        Phase::Untrusted(why) => why,
    };
    let cure = "run bedplate bootstrap again: it waits for the production certificate";
    Some(Finding::new(format!("{name} serves {}, which visitors do not trust: {why}", served.subject), cure))
}

/// The Certificate's word counts for the leaf that it speaks of: an older one may be served still.
fn ends_soon(name: &str, served: &Served, planned: Option<Renewal>, now: i64) -> Option<Finding> {
    let own = planned.filter(|planned| planned.ends == served.not_after);
    let renewal = own.unwrap_or_else(|| Renewal::by_default(served.not_before, served.not_after));
    (renewal.progress(now) == Progress::Overdue).then(|| {
        let what = format!("the certificate of {name} ends in {}", span(served.not_after - now));
        Finding::new(what, "its renewal fails: `bedplate diagnose` says why")
    })
}
