//! Whether somebody else than the ingress answers on the challenge's path, and what to do about silence. Traefik does not name itself.

use std::net::IpAddr;

use url::Url;

use crate::model::{Exchange, Finding};

use super::super::site::challenge::unfollowed;
use super::super::site::redirect::leads;

/// Why nothing came back.
pub fn silent(why: &str, address: IpAddr, port: u16) -> Finding {
    let firewall = format!("let TCP {port} in to {address}: the provider's firewall, the host's, and the router's port forwarding");
    let six = if address.is_ipv6() { "; or take the AAAA record away: a CA asks IPv6 first" } else { "" };
    if why.starts_with("refused") {
        let cure = format!("see whether Traefik runs: kubectl -n kube-system get pods,svc; or {firewall}{six}");
        return Finding::new(format!("{address} refuses port {port}"), cure);
    }
    if why.starts_with("timeout") {
        return Finding::new(format!("port {port} of {address} does not answer"), format!("{firewall}{six}"));
    }
    Finding::new(format!("port {port} of {address} does not answer: {why}"), format!("{firewall}{six}"))
}

/// Who it is that answers; none: it may be the ingress.
pub fn judge(url: &str, exchange: &Exchange, address: IpAddr) -> Option<Finding> {
    let Exchange { status, server, .. } = exchange;
    if !server.is_empty() {
        let what = format!("another web server ({server}) answers {status} on port 80 of {address}");
        let cure = "stop it, so that Traefik gets port 80; if it stands before the host, let the name lead past it";
        return Some(Finding::new(what, cure));
    }
    if let (Some(to), Ok(asked)) = (leads(url, exchange), Url::parse(url)) {
        let own = asked.host_str().unwrap_or_default();
        let why = unfollowed(&asked, &to, &[own])?;
        if to == asked {
            let cure = "end the circle where it begins: a proxy before the host that speaks http to it while the host sends to https, or a rule of \
                        another server";
            return Some(Finding::new(format!("{own} redirects the challenge's path to itself"), cure));
        }
        let cure = format!("take the rule away that redirects it: no CA finds a challenge of {own} there");
        return Some(Finding::new(format!("{own} redirects the challenge's path to {to}: {why}"), cure));
    }
    if matches!(*status, 200 | 511) {
        let what = format!("somebody answers the challenge's path on port 80 of {address} with a page of their own");
        let cure = "take the proxy, the captive portal or the Ingress that catches /.well-known/acme-challenge/ away; or, if this machine's own \
                    network shows such pages, run from another";
        return Some(Finding::new(what, cure));
    }
    None
}
