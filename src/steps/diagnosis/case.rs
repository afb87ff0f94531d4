//! One site's chain, as far as it is known.

use serde_json::Value;

use crate::model::{Missing, View};

use super::super::acme_site::AcmeSite;
use super::super::attempt::{Failed, Next};
use super::super::challenge_probe::Authority;
use super::super::leaf::Leaf;
use super::super::moment;
use super::super::renewal::span;
use super::super::solver_policy::effect::Ways;
use super::ask::{self, CERTIFICATE, CHALLENGE, ORDER, REQUEST};
use super::cause::Cause;
use crate::steps::object::{self, brief, condition, name, newest, owned, place, text};

/// How long something may take before it counts as stuck, seconds: a solver is reached some seconds after its Ingress was made.
pub const SETTLING: i64 = 30;

/// A site and the top of its chain.
pub struct Case<'a> {
    /// Whose certificate it is.
    pub site: &'a AcmeSite,
    /// Who validates its names.
    pub authority: Authority,
    /// Between whom packets must pass.
    pub ways: &'a Ways,
    /// What is known.
    pub seen: View<'a>,
    /// Seconds since the epoch.
    pub now: i64,
    /// All of the namespace.
    pub certificates: &'a [Value],
    /// The site's own; none: it is absent.
    pub certificate: Option<&'a Value>,
    /// The leaf in its Secret.
    pub leaf: Option<Leaf>,
}

impl<'a> Case<'a> {
    /// Reads the top of the chain.
    ///
    /// # Errors
    /// Not asked yet, or it can't be seen.
    pub fn read(site: &'a AcmeSite, authority: Authority, ways: &'a Ways, seen: View<'a>) -> Result<Self, Missing> {
        let certificates = listed(&seen, &CERTIFICATE.all(site.carrier.namespace()))?;
        let certificate = certificates.iter().find(|certificate| name(certificate) == site.certificate);
        let leaf = seen.secret(site.carrier.namespace(), &site.certificate)?.and_then(Leaf::of);
        Ok(Self { site, authority, ways, seen, now: seen.clock()?, certificates, certificate, leaf })
    }

    /// Namespace of the whole chain.
    pub fn namespace(&self) -> &'a str {
        self.site.carrier.namespace()
    }

    /// All of a kind in the chain's namespace.
    ///
    /// # Errors
    /// They can't be seen.
    pub fn all(&self, kind: ask::Kind) -> Result<&'a [Value], Missing> {
        listed(&self.seen, &kind.all(self.namespace()))
    }

    /// Whether the certificate is Ready for the spec that it has, and no renewal of it has failed or is on its way.
    pub fn comes(&self) -> bool {
        self.certificate.is_some_and(|certificate| {
            let ready =
                condition(certificate, "Ready").is_some_and(|ready| ready["status"] == "True" && !object::is_stale(ready, certificate));
            ready && !is_underway(certificate) && self.leaf.is_some()
        })
    }

    /// The newest request of the certificate.
    ///
    /// # Errors
    /// They can't be seen.
    pub fn request(&self) -> Result<Option<&'a Value>, Missing> {
        let Some(certificate) = self.certificate else { return Ok(None) };
        Ok(newest(&owned(self.all(REQUEST)?, &[certificate])))
    }

    /// Its newest order.
    ///
    /// # Errors
    /// They can't be seen.
    pub fn order(&self) -> Result<Option<&'a Value>, Missing> {
        let Some(request) = self.request()? else { return Ok(None) };
        Ok(newest(&owned(self.all(ORDER)?, &[request])))
    }

    /// Its challenges, one a name.
    ///
    /// # Errors
    /// They can't be seen.
    pub fn challenges(&self) -> Result<Vec<&'a Value>, Missing> {
        let Some(order) = self.order()? else { return Ok(Vec::new()) };
        Ok(owned(self.all(CHALLENGE)?, &[order]))
    }

    /// The chain in lines, from the top down.
    ///
    /// # Errors
    /// A part of it can't be seen.
    pub fn told(&self) -> Result<Vec<String>, Missing> {
        let Some(certificate) = self.certificate else { return Ok(Vec::new()) };
        let mut lines = vec![format!("{}: {}{}", place(certificate), ready(certificate), renewal(certificate))];
        if self.comes() {
            return Ok(lines);
        }
        lines.extend(self.request()?.map(|request| format!("{}: {}", place(request), ready(request))));
        let state = |object: &Value| {
            let reason = text(object, "/status/reason").map(|reason| format!(": {}", brief(reason))).unwrap_or_default();
            format!("{}{reason}", text(object, "/status/state").unwrap_or("no state yet"))
        };
        lines.extend(self.order()?.map(|order| format!("{}: {}", place(order), state(order))));
        let challenge = |challenge: &&Value| {
            format!("{} of {}: {}", place(challenge), text(challenge, "/spec/dnsName").unwrap_or_default(), state(challenge))
        };
        lines.extend(self.challenges()?.iter().map(challenge));
        Ok(lines)
    }

    /// A cause of a failed issuance: cert-manager waits an hour or more before it tries again (contract §4.3), unless it is asked anew.
    pub fn in_time(&self, cause: Cause) -> Cause {
        let failed = self.certificate.and_then(Failed::of).filter(|failed| failed.retry() > self.now && !cause.needs_time());
        let Some(failed) = failed else { return cause };
        let asks = match failed.next(self.all(ORDER).unwrap_or_default(), &self.site.names, self.now) {
            Next::Now | Next::Failing => "`bedplate bootstrap` asks anew at once".to_owned(),
            Next::From(at, why) => format!("`bedplate bootstrap` asks anew from {} on: {why}", moment::told(at, &self.seen)),
        };
        let (span, at) = (span(failed.retry() - self.now), moment::told(failed.retry(), &self.seen));
        cause.then(&format!("cert-manager tries again by itself in {span} (at {at}), {asks}"))
    }
}

/// All of a kind; none where the API server does not know the kind.
///
/// # Errors
/// They can't be seen.
pub fn listed<'a>(seen: &View<'a>, of: &crate::model::ObjectRef) -> Result<&'a [Value], Missing> {
    Ok(seen.list(of, "")?.map(Vec::as_slice).unwrap_or_default())
}

fn ready(object: &Value) -> String {
    match condition(object, "Ready") {
        None => "nobody has looked at it yet".into(),
        Some(ready) if ready["status"] == "True" => "ready".into(),
        Some(ready) => format!("not ready: {}", brief(ready["message"].as_str().unwrap_or_default())),
    }
}

/// Whether it is being issued, or that failed. A success takes the condition away, or makes it False with that reason.
fn is_underway(certificate: &Value) -> bool {
    condition(certificate, "Issuing").is_some_and(|issuing| issuing["reason"] != "Issued")
}

/// A good certificate that is to be replaced.
fn renewal(certificate: &Value) -> &'static str {
    let good = condition(certificate, "Ready").is_some_and(|ready| ready["status"] == "True");
    if !good || !is_underway(certificate) {
        return "";
    }
    let now = condition(certificate, "Issuing").is_some_and(|issuing| issuing["status"] == "True");
    if now { "; it is being renewed" } else { "; its renewal failed" }
}
