//! A site with a certificate by ACME: where its certificate lies, where it is served, and who tells cert-manager the issuer.

use std::net::IpAddr;

use crate::inventory::{Inventory, Site, Tls};
use crate::model::{ApiQuestion, Missing, ObjectRef, OperatorQuestion, OutsideQuestion, Question, Served, View};

use super::carrier::Carrier;
use super::leaf::Leaf;
use super::ratchet::{Evidence, Issuer, StagingRoots};

/// What the inventory says of the site.
#[derive(Clone, Debug)]
pub struct AcmeSite {
    /// What is served.
    pub domain: String,
    /// The domain, and the names that redirect to it.
    pub names: Vec<String>,
    /// Whose Ingress serves it.
    pub carrier: Carrier,
    /// In the carrier's namespace: TLS Secret, and the Certificate of the same name (contract §4.2).
    pub certificate: String,
    /// Where visitors find the ingress; none: the inventory does not say.
    pub address: Option<IpAddr>,
    /// Whether a staging chain can be verified.
    pub roots: StagingRoots,
}

/// Where visitors find the cluster's ingress.
pub fn ingress(inventory: &Inventory) -> Option<IpAddr> {
    inventory.server()?.visible_ip()
}

impl AcmeSite {
    /// Every such site.
    pub fn all(inventory: &Inventory) -> impl Iterator<Item = Self> {
        inventory.sites.iter().filter_map(|site| Self::of(inventory, site))
    }

    /// `None` if the site is not served by ACME, or lacks its certificate or carrier, which `lint` refuses.
    pub fn of(inventory: &Inventory, site: &Site) -> Option<Self> {
        if site.tls != Tls::Acme {
            return None;
        }
        let known = inventory.acme.as_ref().is_some_and(|acme| acme.staging.roots.is_some());
        Some(Self {
            domain: site.domain.clone(),
            names: site.names().map(str::to_owned).collect(),
            carrier: Carrier::of(inventory, site)?,
            certificate: site.certificate.clone()?,
            address: ingress(inventory),
            roots: if known { StagingRoots::Known } else { StagingRoots::Unknown },
        })
    }

    /// What the ratchet must know.
    pub fn questions(&self) -> Vec<Question> {
        let served =
            self.names.iter().flat_map(|name| self.address.map(|address| Question::Outside(OutsideQuestion::served(name, address))));
        self.issued().into_iter().chain(served).collect()
    }

    /// What [`Self::is_issued`] must know.
    pub fn issued(&self) -> [Question; 2] {
        let secret = ApiQuestion::Secret { namespace: self.carrier.namespace().into(), name: self.certificate.clone() };
        [Question::Api(secret), Question::Operator(OperatorQuestion::Clock)]
    }

    /// Whether production has issued for all names: nothing is ordered before the renewal.
    ///
    /// # Errors
    /// Secret or clock can't be seen.
    pub fn is_issued(&self, seen: &View<'_>) -> Result<bool, Missing> {
        let (leaf, now) = (seen.secret(self.carrier.namespace(), &self.certificate)?.and_then(Leaf::of), seen.clock()?);
        let issued = |leaf: Leaf| leaf.issuer == Issuer::Production.name() && leaf.not_after > now;
        Ok(leaf.is_some_and(|leaf| self.names.iter().all(|name| leaf.covers(name)) && issued(leaf)))
    }

    /// The Certificate, which ingress-shim names after its Secret.
    pub fn object(&self) -> ObjectRef {
        ObjectRef::new("cert-manager.io/v1", "Certificate", self.carrier.namespace(), &self.certificate)
    }

    /// What the ratchet may judge by. What is served may be hidden from us: then it counts as not served.
    ///
    /// # Errors
    /// The Secret can't be seen.
    pub fn evidence<'a>(&'a self, seen: &View<'a>) -> Result<Evidence<'a>, Missing> {
        let leaf = seen.secret(self.carrier.namespace(), &self.certificate)?.and_then(Leaf::of);
        let served = |name: &str| -> Option<&'a Served> { seen.served(name, self.address?).ok().flatten() };
        Ok(Evidence { names: self.names.iter().map(|name| (name.as_str(), served(name))).collect(), leaf, roots: self.roots })
    }
}
