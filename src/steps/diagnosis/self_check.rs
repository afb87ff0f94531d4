//! cert-manager's own check, from its pod, before it asks the CA: what it says, and what lies behind it.

use serde_json::Value;

use crate::model::Missing;

use super::case::Case;
use super::cause::Cure;
use super::reach;
use super::{class, policy, solver};

/// Why it fails, and the cure.
///
/// # Errors
/// What stands beside it can't be seen.
pub fn judge(case: &Case<'_>, challenge: &Value, name: &str, said: &str) -> Result<(String, Cure), Missing> {
    let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
    if let Some(known) = solver::judge(case, challenge)? {
        return Ok(known);
    }
    if has(&["'502'", "'503'", "'504'"])
        && let Some(known) = policy::judge(case, challenge)?
    {
        return Ok(known);
    }
    if let Some(known) = reach::judge(case, name, Some(challenge))? {
        return Ok(known);
    }
    if let Some(known) = class::judge(case, challenge)? {
        return Ok(known);
    }
    Ok(if has(&["no such host", "server misbehaving"]) {
        unresolved(case, name)
    } else if has(&["wrong status code", "did not get expected response"]) {
        (
            format!("the solver runs, and another Ingress or middleware answers for {name} before it"),
            Cure::User("see which: kubectl get ingress,ingressroutes.traefik.io -A".into()),
        )
    } else {
        policy::shut_in(case)?.unwrap_or_else(|| hairpin(name))
    })
}

/// DNS is right as the CA sees it, and the cluster does not know the name.
fn unresolved(case: &Case<'_>, name: &str) -> (String, Cure) {
    let host = case.seen.resolved(name);
    match host {
        Ok(None) => (
            format!("{name} is right in DNS, and the host's own resolver does not know it"),
            Cure::User("it may remember that the name did not exist: wait, or mend the nameserver in the host's /etc/resolv.conf".into()),
        ),
        _ => (
            format!("{name} is right in DNS, and the cluster's DNS does not know it"),
            Cure::User("see what CoreDNS says: kubectl -n kube-system logs -l k8s-app=kube-dns".into()),
        ),
    }
}

/// From outside the solver is reached; from the cluster's own pods it is not.
fn hairpin(name: &str) -> (String, Cure) {
    (
        format!("{name} answers from outside, and not the cluster's own pods: their way to the public address does not lead back in"),
        Cure::User(format!(
            "turn on NAT loopback (hairpin) in the router, or let the cluster's DNS give the ingress' inner address for {name}"
        )),
    )
}
