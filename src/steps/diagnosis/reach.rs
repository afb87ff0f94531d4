//! The way to port 80, as it is seen from outside: DNS, then who answers.

use std::net::IpAddr;

use serde_json::Value;

use crate::model::{Exchange, Missing, Why};

use super::super::challenge_probe::dns;
use super::super::rollout;
use super::super::traefik::HOME;
use super::super::workloads::pods::{self, Pod};
use super::ask::{self, DEPLOYMENT, POD};
use super::case::{Case, listed};
use super::cause::Cure;
use super::class;
use crate::steps::object::{name as named, text};

/// Why a name does not lead to the ingress; none: it does, as far as this machine sees.
///
/// # Errors
/// A question was not asked.
pub fn judge(case: &Case<'_>, name: &str, challenge: Option<&Value>) -> Result<Option<(String, Cure)>, Missing> {
    let Some(address) = case.site.address else { return Ok(None) };
    let url = ask::url(name, challenge);
    let (wrong, _) = dns::judge(&case.seen, name, address, case.authority)?;
    if let Some(wrong) = wrong.into_iter().next() {
        let dead: Vec<String> = ask::sixes(case, name).into_iter().filter_map(|six| silent(case, &url, six)).collect();
        return Ok(Some((format!("{}{}", wrong.what, dead.concat()), Cure::User(wrong.cure))));
    }
    let firewall =
        || Cure::User(format!("let TCP 80 in to {address}: the provider's firewall, the host's, and the router's port forwarding"));
    match case.seen.exchange(&url, address) {
        Ok(Some(exchange)) => match (answered(exchange, name, address, challenge), challenge) {
            // Where nobody serves the solver's class, that may be the application itself.
            (Some(stranger), Some(challenge)) => Ok(Some(class::judge(case, challenge)?.unwrap_or(stranger))),
            (stranger, _) => Ok(stranger),
        },
        Ok(None) => Ok(Some((format!("port 80 of {address} does not answer"), firewall()))),
        Err(Missing { why: Why::Unreadable(why), .. }) if why.starts_with("refused") => {
            let refused = format!("port 80 of {address} is refused");
            Ok(Some(traefik(case, &refused)?.unwrap_or_else(|| (format!("{refused}, though Traefik runs"), firewall()))))
        }
        Err(Missing { why: Why::Unreadable(why), .. }) => Ok(Some((format!("port 80 of {address} does not answer: {why}"), firewall()))),
        Err(missing) => Err(missing),
    }
}

/// An IPv6 address of the host's own that DNS gives, too, and that does not answer: a CA prefers it, and cert-manager's own check does not. A
/// machine without a way there knows nothing of that.
pub fn dead(case: &Case<'_>, name: &str, challenge: &Value) -> Option<(String, Cure)> {
    let url = ask::url(name, Some(challenge));
    let six = ask::sixes(case, name).into_iter().find(|six| match case.seen.exchange(&url, *six) {
        Err(Missing { why: Why::Unreadable(why), .. }) => ["refused", "timeout"].iter().any(|word| why.starts_with(word)),
        _ => false,
    })?;
    let cure = format!("let TCP 80 in to {six} and to Traefik, which takes a k3s with IPv6; or take the AAAA record of {name} away");
    Some((format!("port 80 of {six} does not answer, to which {name} leads, too: a CA asks IPv6 first"), Cure::User(cure)))
}

/// An IPv6 address that gives no answer, in words.
fn silent(case: &Case<'_>, url: &str, address: IpAddr) -> Option<String> {
    match case.seen.exchange(url, address) {
        Err(Missing { why: Why::Unreadable(why), .. }) => Some(format!("; {address} does not answer ({why}), and a CA asks IPv6 first")),
        _ => None,
    }
}

/// Who answers, if it is not our ingress. Traefik does not name itself; its solver sends the token and the account's thumbprint.
fn answered(exchange: &Exchange, name: &str, address: IpAddr, challenge: Option<&Value>) -> Option<(String, Cure)> {
    let token = challenge.and_then(|challenge| text(challenge, "/spec/token"));
    if token.is_some_and(|token| exchange.body.starts_with(token)) {
        return None;
    }
    if !exchange.server.is_empty() {
        let why = format!("another web server ({}) answers on port 80 of {address} with status {}", exchange.server, exchange.status);
        return Some((
            why,
            Cure::User(format!(
                "stop it on the host, so that Traefik gets port 80; if it stands before the host, let {name} lead past it; if it is an \
                 application of the cluster, see what leads to it: kubectl get ingress,ingressroutes.traefik.io -A"
            )),
        ));
    }
    if exchange.status == 200 {
        let why = format!("somebody answers the challenge's path of {name} with a page of their own");
        return Some((
            why,
            Cure::User("take the proxy, the captive portal or the rule that catches /.well-known/acme-challenge/ away".into()),
        ));
    }
    None
}

/// Why Traefik does not run; none: it does.
fn traefik(case: &Case<'_>, refused: &str) -> Result<Option<(String, Cure)>, Missing> {
    let parts = listed(&case.seen, &DEPLOYMENT.all(HOME))?;
    let Some(traefik) = parts.iter().find(|part| named(part) == "traefik") else {
        let why = format!("{refused}, and there is no deployment {HOME}/traefik");
        return Ok(Some((why, Cure::User("take `traefik` out of k3s.disable, or run the ingress that the issuers expect".into()))));
    };
    let Some(unfinished) =
        rollout::unfinished(traefik).or_else(|| (traefik["spec"]["replicas"] == 0).then(|| "it is scaled to 0".to_owned()))
    else {
        return Ok(None);
    };
    let pods = listed(&case.seen, &POD.all(HOME))?;
    let trouble = pods::of(traefik, pods).iter().find_map(Pod::trouble).map(|trouble| format!(" ({trouble})")).unwrap_or_default();
    let cure = format!("kubectl -n {HOME} describe deployment traefik; kubectl -n {HOME} rollout restart deployment traefik");
    Ok(Some((format!("{refused}: Traefik does not run: {unfinished}{trouble}"), Cure::User(cure))))
}
