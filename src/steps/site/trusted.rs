//! Whom a site's visitors trust, and what they must get from it.

use std::net::IpAddr;

use crate::inventory::Tls;
use crate::model::{
    ApiQuestion, Exchange, LiveSecret, Missing, ObjectRef, OperatorQuestion, OutsideQuestion, Question, Seen, Served, TLS_CA, Trusted,
    View, Visit, Why,
};

use super::super::leaf::Leaf;
use super::Site;
use super::trust::Issuer;

impl Site {
    /// What must be known before a visitor can look.
    pub fn trust_questions(&self) -> Vec<Question> {
        let secret = self.config.certificate.clone().map(|name| ApiQuestion::Secret { namespace: self.namespace.clone(), name });
        match self.config.tls {
            Tls::Acme | Tls::Off => Vec::new(),
            Tls::SelfSigned => secret.into_iter().map(Question::Api).collect(),
            Tls::OwnCa => {
                let ca = self.config.ca_file.clone().map(OperatorQuestion::File).map(Question::Operator);
                secret.into_iter().map(Question::Api).chain(ca).collect()
            }
        }
    }

    /// Whom its visitors trust: the world's CAs, or the site's own alone.
    ///
    /// # Errors
    /// That CA can't be seen.
    pub fn trusted(&self, seen: &View<'_>) -> Result<Trusted, Missing> {
        let ca = match self.config.tls {
            Tls::Acme | Tls::Off => return Ok(Trusted::World),
            Tls::SelfSigned => self.secret(seen)?.data.get(TLS_CA),
            Tls::OwnCa => self.config.ca_file.as_deref().map(|path| seen.file(path)).transpose()?.flatten(),
        };
        let pem = ca.and_then(|ca| ca.expose_str()).ok_or_else(|| self.missing("there is no CA to judge it by"))?;
        Ok(Trusted::Only(pem.to_owned()))
    }

    /// By whom its certificate is.
    ///
    /// # Errors
    /// Its Secret can't be seen.
    pub fn issuer(&self, seen: &View<'_>) -> Result<Issuer, Missing> {
        let cure = match self.config.tls {
            Tls::Acme | Tls::Off => return Ok(Issuer::CertManager(self.renewal(seen))),
            Tls::SelfSigned => "bedplate bootstrap makes another one",
            Tls::OwnCa => "have your CA issue another one, put it into certificate_file, and run bedplate bootstrap",
        };
        let leaf = Leaf::of(self.secret(seen)?).ok_or_else(|| self.missing("it holds no certificate"))?;
        Ok(Issuer::Own { leaf, cure })
    }

    fn secret<'a>(&self, seen: &View<'a>) -> Result<&'a LiveSecret, Missing> {
        let name = self.config.certificate.as_deref().unwrap_or_default();
        seen.secret(&self.namespace, name)?.ok_or_else(|| self.missing("it is not there yet"))
    }

    fn missing(&self, why: &str) -> Missing {
        let name = self.config.certificate.clone().unwrap_or_default();
        let why = Why::Unreadable(format!("{}: {why}", ObjectRef::new("v1", "Secret", &self.namespace, &name)));
        Missing { question: Question::Api(ApiQuestion::Secret { namespace: self.namespace.clone(), name }), why }
    }
}

/// A visitor of the site.
pub struct Visitor {
    /// From where it comes.
    pub side: Side,
    /// Where the site is found.
    pub address: IpAddr,
    /// Whom it trusts with https.
    pub trusted: Trusted,
}

/// Where visitors come from.
#[derive(Clone, Copy)]
pub enum Side {
    /// On the operator's side, as all the world.
    Outside,
    /// On the server itself.
    Host,
}

impl Visitor {
    /// Plain http asks for nobody's trust.
    fn trusts(&self, url: &str) -> Trusted {
        if url.starts_with("https:") { self.trusted.clone() } else { Trusted::World }
    }

    /// What to ask for a page.
    pub fn get(&self, seen: &View<'_>, url: &str) -> Question {
        self.visit(seen, Visit::Get { url: url.into(), address: self.address, trusted: self.trusts(url) })
    }

    /// What to ask for a certificate.
    pub fn serve(&self, seen: &View<'_>, name: &str) -> Question {
        self.visit(seen, Visit::Served { name: name.into(), address: self.address, trusted: self.trusted.clone() })
    }

    /// What came of the first.
    pub fn exchange<'a>(&self, seen: &View<'a>, url: &str) -> Seen<&'a Exchange> {
        seen.exchange_of(self.get(seen, url))
    }

    /// What came of the second.
    pub fn served<'a>(&self, seen: &View<'a>, name: &str) -> Seen<&'a Served> {
        seen.served_of(self.serve(seen, name))
    }

    fn visit(&self, seen: &View<'_>, visit: Visit) -> Question {
        match self.side {
            Side::Outside => Question::Outside(OutsideQuestion::Visit(visit)),
            Side::Host => Question::Hairpin(seen.host().clone(), visit),
        }
    }
}
