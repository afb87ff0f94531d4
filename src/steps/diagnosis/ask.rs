//! What must be known.

use std::net::IpAddr;

use serde_json::Value;

use crate::model::{ApiQuestion, HostQuestion, ObjectRef, OutsideQuestion, Question, RecordKind, Resolver};

use super::super::acme_site::AcmeSite;
use super::super::cert_manager;
use super::super::challenge_probe::{self, dns};
use super::super::moment;
use super::super::solver_policy::effect;
use super::super::traefik;
use super::case::Case;
use crate::steps::object::text;

/// API version and kind.
#[derive(Clone, Copy)]
pub struct Kind(&'static str, &'static str);

pub const CERTIFICATE: Kind = Kind("cert-manager.io/v1", "Certificate");
pub const REQUEST: Kind = Kind("cert-manager.io/v1", "CertificateRequest");
pub const ISSUER: Kind = Kind("cert-manager.io/v1", "ClusterIssuer");
pub const ORDER: Kind = Kind("acme.cert-manager.io/v1", "Order");
pub const CHALLENGE: Kind = Kind("acme.cert-manager.io/v1", "Challenge");
pub const INGRESS: Kind = Kind("networking.k8s.io/v1", "Ingress");
pub const CLASS: Kind = Kind("networking.k8s.io/v1", "IngressClass");
pub const POD: Kind = Kind("v1", "Pod");
pub const DEPLOYMENT: Kind = Kind("apps/v1", "Deployment");

impl Kind {
    /// All of them in a namespace, or everywhere.
    pub fn all(self, namespace: &str) -> ObjectRef {
        self.named(namespace, "")
    }

    /// One of them.
    pub fn named(self, namespace: &str, name: &str) -> ObjectRef {
        ObjectRef::new(self.0, self.1, namespace, name)
    }

    fn list(self, namespace: &str) -> Question {
        Question::Api(ApiQuestion::List { of: self.all(namespace), selector: String::new() })
    }
}

/// Whether there is anything to explain, and whose CA it is.
pub fn first(site: &AcmeSite) -> Vec<Question> {
    let mut questions = vec![site.carrier.question()];
    questions.extend([CERTIFICATE, INGRESS].map(|kind| kind.list(site.carrier.namespace())));
    questions.extend([DEPLOYMENT, POD].map(|kind| kind.list(cert_manager::NAMESPACE)));
    questions.push(ISSUER.list(""));
    questions.extend(site.questions());
    questions.push(moment::QUESTION);
    questions
}

/// The chain, and what stands beside it.
pub fn chain(site: &AcmeSite) -> Vec<Question> {
    let mut questions = [REQUEST, ORDER, CHALLENGE, POD].map(|kind| kind.list(site.carrier.namespace())).to_vec();
    questions.push(CLASS.list(""));
    questions.extend([DEPLOYMENT, POD].map(|kind| kind.list(traefik::HOME)));
    questions
}

/// The way that a CA takes: DNS and port 80 of every name, on the path of its challenge where it has one; and the CA's directory.
pub fn way(case: &Case<'_>) -> Vec<Question> {
    let mut questions = effect::questions(&case.seen);
    for name in &case.site.names {
        questions.extend(dns::questions(name, case.authority));
        questions.push(case.seen.ask(HostQuestion::Resolve(name.clone())));
    }
    for (url, address) in gets(case) {
        questions.push(Question::Outside(OutsideQuestion::get(&url, address)));
    }
    questions.extend(directory(case));
    questions
}

/// Where the challenge of a name is looked for.
pub fn url(name: &str, challenge: Option<&Value>) -> String {
    match challenge.and_then(|challenge| text(challenge, "/spec/token")) {
        Some(token) => format!("http://{name}/.well-known/acme-challenge/{token}"),
        None => challenge_probe::url(name),
    }
}

/// At the ingress, and at every IPv6 address that DNS gives besides: a CA prefers that one. Only once the challenges are known.
fn gets(case: &Case<'_>) -> Vec<(String, IpAddr)> {
    let Ok(challenges) = case.challenges() else { return Vec::new() };
    let mut gets = Vec::new();
    for name in &case.site.names {
        let challenge = challenges.iter().copied().find(|challenge| challenge["spec"]["dnsName"] == *name);
        let url = url(name, challenge);
        gets.extend(case.site.address.into_iter().chain(sixes(case, name)).map(|address| (url.clone(), address)));
    }
    gets.sort();
    gets.dedup();
    gets
}

/// The IPv6 addresses of a name, as whoever validates it sees them.
pub fn sixes(case: &Case<'_>, name: &str) -> Vec<IpAddr> {
    let records = case.seen.records(name, RecordKind::Aaaa, case.authority.resolver());
    records.ok().flatten().into_iter().flatten().filter_map(|text| text.parse().ok()).collect()
}

/// Whether the CA's directory answers: its address first, then itself.
fn directory(case: &Case<'_>) -> Vec<Question> {
    let Some(server) = server(case) else { return Vec::new() };
    match server.host() {
        Some(url::Host::Domain(name)) => {
            let dns = OutsideQuestion::Dns { name: name.into(), kind: RecordKind::A, resolver: Resolver::System };
            let get = address(case, &server).map(|address| OutsideQuestion::get(server.as_str(), address));
            std::iter::once(dns).chain(get).map(Question::Outside).collect()
        }
        _ => address(case, &server)
            .map(|address| OutsideQuestion::get(server.as_str(), address))
            .map(Question::Outside)
            .into_iter()
            .collect(),
    }
}

/// The CA's directory, as the certificate's issuer has it.
pub fn server(case: &Case<'_>) -> Option<url::Url> {
    let issuer = super::issuer::of(case).ok()??;
    text(issuer, "/spec/acme/server")?.parse().ok()
}

/// Where that is, as this machine sees it.
pub fn address(case: &Case<'_>, server: &url::Url) -> Option<IpAddr> {
    match server.host()? {
        url::Host::Ipv4(address) => Some(address.into()),
        url::Host::Ipv6(address) => Some(address.into()),
        url::Host::Domain(name) => {
            let records = case.seen.records(name, RecordKind::A, Resolver::System).ok()??;
            records.iter().find_map(|text| text.parse().ok())
        }
    }
}
