//! The Challenges, one a name: set up, checked by cert-manager, then validated by the CA.

use serde_json::Value;

use crate::model::Missing;

use super::super::problem;
use super::ask::CHALLENGE;
use super::case::{Case, SETTLING, listed};
use super::cause::{Cause, Cure};
use super::{api, authority, reach, self_check};
use crate::steps::object::{age, name, place, said, text};

/// What holds each of them.
///
/// # Errors
/// What stands beside it can't be seen.
pub fn judge(case: &Case<'_>) -> Result<Vec<Cause>, Missing> {
    if case.comes() {
        return Ok(Vec::new());
    }
    let mut causes = Vec::new();
    for challenge in case.challenges()? {
        causes.extend(one(case, challenge)?);
    }
    Ok(causes)
}

fn one(case: &Case<'_>, challenge: &Value) -> Result<Option<Cause>, Missing> {
    let dns_name = text(challenge, "/spec/dnsName").unwrap_or_default();
    let reason = text(challenge, "/status/reason").unwrap_or_default();
    let stuck = |what: &str| format!("the challenge of {dns_name} {what}");
    match text(challenge, "/status/state") {
        Some("valid") => return Ok(None),
        Some("invalid" | "errored" | "expired") => {
            let (why, cure) = refused(case, challenge, dns_name, reason)?;
            return Ok(Some(Cause::new(stuck(&format!("was refused by the CA: {}", said(reason))), why, cure)));
        }
        _ => {}
    }
    if age(challenge, case.now) <= SETTLING {
        return Ok(None);
    }
    if challenge["status"]["processing"] != true {
        let cause = queued(case, challenge, dns_name)?;
        return Ok(Some(Cause::new(stuck("waits for its turn"), cause, Cure::Time("cert-manager takes them one after the other".into()))));
    }
    if reason.is_empty() {
        let silent = format!("says nothing after {} s", age(challenge, case.now));
        let long = age(challenge, case.now) > 4 * SETTLING;
        return Ok(long.then(|| Cause::new(stuck(&silent), "", authority::ask_the_log())));
    }
    let stuck = stuck(&format!("does not get on: {}", said(reason)));
    if challenge["status"]["presented"] != true {
        let (why, cure) = api::refused(reason, case.namespace());
        return Ok(Some(Cause::new(stuck, why, cure).then(&again(case, challenge))));
    }
    let (why, cure) = self_check::judge(case, challenge, dns_name, reason)?;
    Ok(Some(Cause::new(stuck, why, cure)))
}

/// What the API server refuses is tried again at growing intervals, from 5 s to 30 minutes; a deleted challenge is made anew by its order.
fn again(case: &Case<'_>, challenge: &Value) -> String {
    let delete = format!("kubectl -n {} delete challenge {}", case.namespace(), name(challenge));
    format!("cert-manager tries again within 30 minutes, at once after: {delete}")
}

/// The CA has looked, and did not find what it should.
fn refused(case: &Case<'_>, challenge: &Value, dns_name: &str, reason: &str) -> Result<(String, Cure), Missing> {
    if let Some(known) = authority::of(reason, case) {
        return Ok(known);
    }
    if let Some(known) = reach::judge(case, dns_name, Some(challenge))?.or_else(|| reach::dead(case, dns_name, challenge)) {
        return Ok(known);
    }
    Ok(match problem::kind(reason) {
        Some("connection") => (
            format!("port 80 of {dns_name} answers this machine, and not the CA, which asks from several places in the world"),
            Cure::User("let everybody in to port 80: no filter by country or address".into()),
        ),
        Some("dns") => (
            format!("the name servers of {dns_name} answer here, and not the CA"),
            Cure::User("see that all of its name servers answer, over UDP and TCP, and that DNSSEC is whole".into()),
        ),
        Some("unauthorized") => (
            "another server answered the CA: DNS or a balancer leads some of its askers elsewhere".into(),
            Cure::User(format!("let {dns_name} lead to this cluster alone, wherever it is asked from")),
        ),
        _ => (String::new(), authority::ask_the_log()),
    })
}

/// Which challenge is in its way: of one name, one is worked on at a time, 60 of all.
fn queued(case: &Case<'_>, challenge: &Value, dns_name: &str) -> Result<String, Missing> {
    let all = listed(&case.seen, &CHALLENGE.all(case.namespace()))?;
    let other = all.iter().find(|other| {
        other["spec"]["dnsName"] == dns_name
            && other["status"]["processing"] == true
            && other["metadata"]["uid"] != challenge["metadata"]["uid"]
    });
    Ok(other.map_or_else(String::new, |other| format!("{} of the same name goes first", place(other))))
}
