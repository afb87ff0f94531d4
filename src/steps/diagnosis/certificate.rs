//! The Certificate itself: it must be there, and its Secret must be its own.

use serde_json::Value;

use crate::model::Missing;

use super::super::carrier::ISSUER;
use super::super::renewal::{Progress, Renewal};
use super::ask::INGRESS;
use super::authority;
use super::case::{Case, SETTLING};
use super::cause::{Cause, Cure};
use crate::steps::object::{age, condition, is_stale, list, name, place, said, seconds, text};

/// How long a certificate may take at all, seconds.
const LONG: i64 = 600;

/// Absent, or one of two that write the same Secret.
///
/// # Errors
/// What asks for it can't be seen.
pub fn judge(case: &Case<'_>) -> Result<Vec<Cause>, Missing> {
    match case.certificate {
        None => Ok(vec![absent(case)?]),
        Some(certificate) => Ok(shared(case, certificate)?.into_iter().chain(unseen(case, certificate)).collect()),
    }
}

/// ingress-shim makes it of an Ingress with the annotation and a complete `tls` entry.
fn absent(case: &Case<'_>) -> Result<Cause, Missing> {
    let (namespace, secret) = (case.namespace(), &case.site.certificate);
    let stuck = format!("certificate {namespace}/{secret} is absent");
    if !case.site.carrier.is_there(&case.seen)? {
        return Ok(Cause::new(stuck, "what brings its Ingress is not there yet", Cure::Tool("puts it there".into())));
    }
    let ingresses = case.all(INGRESS)?;
    let names_it = |ingress: &&Value| list(ingress, "/spec/tls").any(|tls| tls["secretName"] == *secret);
    let Some(ingress) = ingresses.iter().find(names_it) else {
        let cure =
            format!("give the Ingress of {} tls: [{{ hosts: [{}], secretName: {secret} }}]", case.site.domain, case.site.names.join(", "));
        return Ok(Cause::new(stuck, format!("no Ingress of {namespace} has tls.secretName {secret}"), Cure::User(cure)));
    };
    let place = place(ingress);
    if ingress["metadata"]["annotations"][ISSUER].as_str().is_none() {
        return Ok(Cause::new(stuck, format!("{place} lacks the annotation {ISSUER}"), Cure::User(case.site.carrier.place())));
    }
    let entries: Vec<_> = list(ingress, "/spec/tls").filter(|tls| tls["secretName"] == *secret).collect();
    if entries.len() > 1 {
        let why = format!("{place} names {secret} in {} tls entries, and cert-manager takes none of them", entries.len());
        return Ok(Cause::new(stuck, why, Cure::User("put all hosts into one entry".into())));
    }
    if entries.iter().any(|tls| list(tls, "/hosts").next().is_none()) {
        let cure = Cure::User(format!("add hosts: [{}]", case.site.names.join(", ")));
        return Ok(Cause::new(stuck, format!("{place} has a tls entry for {secret} without hosts"), cure));
    }
    let cure = format!(
        "kubectl -n {namespace} describe ingress {} and kubectl -n cert-manager logs deployment/cert-manager say why",
        name(ingress)
    );
    Ok(Cause::new(stuck, format!("{place} asks for it, and cert-manager has not made it"), Cure::User(cure)))
}

/// Of two certificates that name one Secret, cert-manager serves the one that the Secret's annotation names, else the older, and passes
/// the other over in silence (contract §4.4).
fn shared(case: &Case<'_>, certificate: &Value) -> Result<Option<Cause>, Missing> {
    let secret = text(certificate, "/spec/secretName").unwrap_or_default();
    let mut rivals: Vec<&Value> = case.certificates.iter().filter(|one| one["spec"]["secretName"] == secret).collect();
    rivals.sort_by_key(|one| (text(one, "/metadata/creationTimestamp"), name(one)));
    let stored = case.seen.secret(case.namespace(), secret)?.and_then(|live| live.annotations.get("cert-manager.io/certificate-name"));
    let owner = rivals.iter().find(|one| stored.is_some_and(|stored| stored == name(one))).or(rivals.first());
    let Some(owner) = owner.filter(|owner| name(owner) != name(certificate)) else { return Ok(None) };
    let stuck = format!("{} waits for ever, and cert-manager says nothing of it", place(certificate));
    let why = format!("{} writes the same secret {secret}, and cert-manager serves one of them only", place(owner));
    let cure = format!(
        "give one of the two Ingresses another tls.secretName, or delete the one that is not wanted: kubectl -n {} get ingress,certificate; \
             cert-manager sees it within three minutes",
        case.namespace()
    );
    Ok(Some(Cause::new(stuck, why, Cure::User(cure))))
}

/// Nothing was said of it though cert-manager runs.
fn unseen(case: &Case<'_>, certificate: &Value) -> Option<Cause> {
    let unseen = list(certificate, "/status/conditions").next().is_none() && age(certificate, case.now) > SETTLING;
    let cure = Cure::User("see what it says: kubectl -n cert-manager logs deployment/cert-manager".into());
    let stuck = format!("{}: cert-manager has not looked at it for {} s", place(certificate), age(certificate, case.now));
    unseen.then(|| Cause::new(said(&stuck), "", cure))
}

/// Nobody has begun to renew it, though it is due for long; its orders would say why, and there are none.
fn overdue(case: &Case<'_>, certificate: &Value) -> Option<Cause> {
    let renewal = Renewal::of(certificate).filter(|renewal| renewal.progress(case.now) != Progress::InTime)?;
    let stuck = format!("the renewal of {} {}", place(certificate), renewal.told(case.now));
    Some(Cause::new(stuck, "cert-manager has not begun with it", authority::ask_the_log()))
}

/// Not ready, or not renewed, and no stage said why: what cert-manager says last is told at least.
///
/// # Errors
/// None; it is of the shape of all stages.
pub fn unexplained(case: &Case<'_>) -> Result<Vec<Cause>, Missing> {
    let Some(certificate) = case.certificate else { return Ok(Vec::new()) };
    if case.comes() {
        return Ok(overdue(case, certificate).into_iter().collect());
    }
    let failed = condition(certificate, "Issuing").filter(|issuing| issuing["status"] == "False" && !is_stale(issuing, certificate));
    let since = |ready: &Value| text(ready, "/lastTransitionTime").and_then(seconds).map_or(0, |since| case.now - since);
    let unready = || condition(certificate, "Ready").filter(|ready| ready["status"] != "True" && since(ready) > LONG);
    let message = failed.or_else(unready).and_then(|condition| condition["message"].as_str());
    Ok(message
        .map(|message| Cause::new(format!("{}: {}", place(certificate), said(message)), "", authority::ask_the_log()))
        .into_iter()
        .collect())
}
