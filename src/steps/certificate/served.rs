//! What visitors get against what the Secret holds. Each way in which the two differ has its own words.

use crate::model::{Finding, NOT_BEGUN, Phase, Served};

use super::super::leaf::Leaf;
use super::super::ratchet::{Issuer, StagingRoots};

/// The subject of what Traefik serves where no Secret fits (contract §3.3).
const DEFAULT: &str = "TRAEFIK DEFAULT CERT";

/// Whether Traefik has no certificate for the name that was asked.
pub fn is_default(served: &Served) -> bool {
    served.subject.contains(DEFAULT)
}

/// What is wrong with what `name` serves; none: it is the Secret's leaf, and believed in the phase of `issuer` as far as its roots are known.
pub fn judge(name: &str, served: Option<&Served>, leaf: &Leaf, (issuer, roots): (Issuer, StagingRoots), now: i64) -> Option<Finding> {
    let Some(served) = served else {
        return Some(Finding::new(format!("{name} serves nothing on port 443"), "let TCP 443 in, and see whether Traefik runs"));
    };
    if is_default(served) {
        return Some(default(name));
    }
    if served.sha256 != leaf.sha256 {
        return Some(another(name, served, leaf));
    }
    out_of_time(name, served, now).or_else(|| disbelieved(name, served, issuer, roots))
}

/// Traefik's own certificate, and what that comes from.
pub fn default(name: &str) -> Finding {
    let cure = "Traefik takes a new secret up in seconds; if it does not: no Ingress of its class has this host both in rules and, with tls.secretName, \
                in tls; or the secret lies in another namespace than the Ingress. `bedplate diagnose` tells which";
    Finding::new(format!("visitors of {name} get Traefik's default certificate ({DEFAULT}): it has no TLS secret for this name"), cure)
}

/// A leaf that is not the Secret's.
pub fn another(name: &str, served: &Served, leaf: &Leaf) -> Finding {
    let shown = described(served);
    if served.not_after < leaf.not_after && served.names.iter().any(|own| own.eq_ignore_ascii_case(name)) {
        let cure = "Traefik takes the new one up in seconds; if it does not: kubectl -n kube-system logs deployment/traefik";
        return Finding::new(format!("{name} still serves an older certificate than its secret holds: {shown}"), cure);
    }
    let cure = "another Ingress claims this name with a tls.secretName of its own (kubectl get ingress -A), or something before the cluster ends TLS \
                itself (a proxy, a load balancer): take it out of the way";
    Finding::new(format!("{name} serves another certificate than its secret holds: {shown}"), cure)
}

/// A certificate that has ended, or has not begun. Whether it has begun only the handshake knows: `now` may be older than a certificate that was
/// issued while it was waited for.
pub fn out_of_time(name: &str, served: &Served, now: i64) -> Option<Finding> {
    let Phase::Untrusted(why) = &served.phase else { return None };
    if now >= served.not_after {
        let what = format!("the certificate of {name} ended on {}", date(served.not_after));
        return Some(Finding::new(what, "it was not renewed: `bedplate diagnose` says why"));
    }
    why.contains(NOT_BEGUN).then(|| {
        let what = format!("the certificate of {name} begins on {}, and this machine's clock is not there yet", time(served.not_before));
        Finding::new(what, "set this machine's clock, and look at the host's")
    })
}

fn disbelieved(name: &str, served: &Served, issuer: Issuer, roots: StagingRoots) -> Option<Finding> {
    let cure = |side: &str| format!("set acme.{side}.roots to the roots of the CA that acme.{side}.server issues by");
    match (&served.phase, issuer) {
        (Phase::Production, _) | (Phase::Staging, Issuer::Staging) => None,
        (Phase::Untrusted(_), Issuer::Staging) if roots == StagingRoots::Unknown => None,
        (Phase::Staging, Issuer::Production) => {
            Some(Finding::new(format!("{name}: the production CA's chain verifies to staging roots"), cure("production")))
        }
        (Phase::Untrusted(why), Issuer::Production) => Some(Finding::new(format!("{name}: {why}"), cure("production"))),
        (Phase::Untrusted(why), Issuer::Staging) => Some(Finding::new(format!("{name}: {why}"), cure("staging"))),
    }
}

/// What a person needs to tell one certificate from another.
fn described(served: &Served) -> String {
    let Served { subject, issuer, names, not_after, .. } = served;
    format!("{subject} by {issuer}, for {}, until {}", listed(names), date(*not_after))
}

/// Names, as a sentence has them.
pub fn listed(names: &[String]) -> String {
    match names {
        [] => "no name".into(),
        [names @ .., last] if !names.is_empty() => format!("{} and {last}", names.join(", ")),
        [only, ..] => only.clone(),
    }
}

fn time(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |time| time.to_string())
}

/// The day, in UTC.
pub fn date(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |time| time.strftime("%Y-%m-%d").to_string())
}
