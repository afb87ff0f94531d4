//! Whether DNS leads the CA to the cluster, and lets it issue.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::model::{Finding, Missing, Note, OutsideQuestion, Question, RecordKind, Resolver, View, Why};

use super::Authority;

const LETS_ENCRYPT: &str = "letsencrypt.org";

impl Authority {
    /// Whose answers count.
    pub const fn resolver(self) -> Resolver {
        match self {
            Self::LetsEncrypt => Resolver::Public,
            Self::Own => Resolver::System,
        }
    }

    /// In words.
    const fn eyes(self) -> &'static str {
        match self {
            Self::LetsEncrypt => "public resolvers",
            Self::Own => "this machine's resolver",
        }
    }
}

/// What must be known of a name.
pub fn questions(name: &str, authority: Authority) -> Vec<Question> {
    let resolver = authority.resolver();
    let dns = |name: &str, kind| Question::Outside(OutsideQuestion::Dns { name: name.into(), kind, resolver });
    let mut questions = vec![dns(name, RecordKind::A), dns(name, RecordKind::Aaaa)];
    if authority == Authority::LetsEncrypt {
        questions.extend(climb(name).map(|name| dns(name, RecordKind::Caa)));
    }
    questions
}

/// A name and its ancestors, the top level left out: nobody below it sets that one's CAA.
fn climb(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(name), |name| name.split_once('.').map(|(_, parent)| parent)).filter(|name| name.contains('.'))
}

/// What is wrong, and what could not be looked at.
///
/// # Errors
/// A question was not asked.
pub fn judge(seen: &View<'_>, name: &str, wanted: IpAddr, authority: Authority) -> Result<(Vec<Finding>, Vec<Note>), Missing> {
    let own: BTreeSet<IpAddr> = seen.facts().map(|facts| facts.addresses.iter().copied().collect()).unwrap_or_default();
    let mut found = BTreeSet::new();
    for kind in [RecordKind::A, RecordKind::Aaaa] {
        match seen.records(name, kind, authority.resolver()) {
            Ok(records) => found.extend(records.into_iter().flatten().filter_map(|text| text.parse::<IpAddr>().ok())),
            Err(Missing { why: Why::Unreadable(why), .. }) => {
                let what = format!("{name} could not be looked up by {}: {why}", authority.eyes());
                return Ok((Vec::new(), vec![Note::Warning(Finding::new(what, "its certificate may fail"))]));
            }
            Err(missing) => return Err(missing),
        }
    }
    let mut findings = Vec::new();
    let others: Vec<String> = found.iter().filter(|ip| **ip != wanted && !own.contains(ip)).map(IpAddr::to_string).collect();
    if !found.contains(&wanted) || !others.is_empty() {
        let told =
            if found.is_empty() { "nothing".to_owned() } else { found.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(" and ") };
        findings.push(Finding::new(
            format!("{name} leads to {told} by {}, and must lead to {wanted}", authority.eyes()),
            format!("point its A or AAAA record at {wanted} and delete the others; a CA prefers a stale AAAA"),
        ));
    }
    if authority == Authority::LetsEncrypt {
        findings.extend(forbidden(seen, name)?);
    }
    Ok((findings, Vec::new()))
}

/// The nearest ancestor with CAA records decides (RFC 8659). A resolver that does not answer forbids nothing here: the CA will tell.
fn forbidden(seen: &View<'_>, name: &str) -> Result<Option<Finding>, Missing> {
    for ancestor in climb(name) {
        let records = match seen.records(ancestor, RecordKind::Caa, Resolver::Public) {
            Ok(records) => records.into_iter().flatten().collect::<Vec<_>>(),
            Err(Missing { why: Why::Unreadable(_), .. }) => return Ok(None),
            Err(missing) => return Err(missing),
        };
        if records.is_empty() {
            continue;
        }
        let issue: Vec<_> = records.iter().filter(|record| record.split_whitespace().nth(1) == Some("issue")).collect();
        if issue.is_empty() || issue.iter().any(|record| record.contains(LETS_ENCRYPT)) {
            return Ok(None);
        }
        let what = format!("CAA of {ancestor} lets no certificate of Let's Encrypt be issued for {name}");
        return Ok(Some(Finding::new(what, format!("add the record: {ancestor}. CAA 0 issue \"{LETS_ENCRYPT}\""))));
    }
    Ok(None)
}
