//! What comes back on the challenge's path, and what stands in the way if it is not the token.

use std::net::IpAddr;

use crate::model::{Exchange, Finding, Missing, Served};

use super::super::challenge_probe::stranger::{self, silent};
use super::super::site::page::readable;
use super::super::site::redirect::leads;
use super::objects::Responder;

/// The address at which a name was visited.
pub struct Visit<'a> {
    /// Whom the visit is for.
    pub responder: &'a Responder<'a>,
    /// Where.
    pub address: IpAddr,
}

/// How far the way was seen to lead.
pub enum Seen {
    /// The token came back.
    Whole,
    /// Plain http is redirected to https, which answers; what it answers is not seen, for it has no certificate yet.
    ToHttps,
    /// This machine has no way there.
    Unseen(String),
    /// Something stands in the way.
    Barred(Finding),
}

impl Visit<'_> {
    /// Judges it. `tls` is what port 443 serves there.
    ///
    /// # Errors
    /// A question was not asked.
    pub fn judge(&self, answer: Result<Option<&Exchange>, Missing>, tls: Result<Option<&Served>, Missing>) -> Result<Seen, Missing> {
        let (address, name) = (self.address, self.responder.domain);
        let exchange = match readable(answer)? {
            Ok(exchange) => exchange,
            Err(why) if address.is_ipv6() && why.contains("Network is unreachable") => return Ok(Seen::Unseen(why)),
            Err(why) => return Ok(Seen::Barred(silent(&why, address, 80))),
        };
        if exchange.status == 200 && exchange.body.trim_end() == self.responder.key() {
            return Ok(Seen::Whole);
        }
        let url = self.responder.url();
        if let Some(finding) = stranger::judge(&url, exchange, address) {
            return Ok(Seen::Barred(finding));
        }
        // To anywhere else no CA would follow, which the stranger is told for.
        if leads(&url, exchange).is_some() {
            return Ok(match readable(tls)? {
                Ok(_) => Seen::ToHttps,
                Err(why) => {
                    let Finding { what, cure } = silent(&why, address, 443);
                    let what = format!("plain http of {name} is redirected to https, and {what}");
                    Seen::Barred(Finding::new(what, format!("{cure}; a CA follows, and does not fall back to IPv4 after a redirect")))
                }
            });
        }
        Ok(Seen::Barred(self.own(exchange.status)))
    }

    /// What the ingress itself says.
    fn own(&self, status: u16) -> Finding {
        let (name, namespace) = (self.responder.domain, &self.responder.job.namespace);
        match status {
            502..=504 => Finding::new(
                format!(
                    "Traefik answers {status} for {name}: it does not reach the responder's pod, and would not reach cert-manager's solver"
                ),
                format!(
                    "a network policy refuses: let Traefik of kube-system out to, and in to, TCP 8089 of the pods in {namespace} that bear \
                     acme.cert-manager.io/http01-solver: kubectl get networkpolicies -A"
                ),
            ),
            404 => Finding::new(
                format!("Traefik answers 404 for {name}: it has no route to the responder"),
                "Traefik must serve the ingress class traefik in all namespaces: kubectl get ingressclasses; kubectl -n kube-system logs \
                 deployment/traefik",
            ),
            _ => Finding::new(
                format!("{status} comes back for {name}, and not the responder's token"),
                "see who answers there: a middleware or an Ingress that catches /.well-known/acme-challenge/",
            ),
        }
    }
}
