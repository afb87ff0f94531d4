//! Staging or production: a pure ratchet. Production is asked for only after the staging certificate is issued *and*
//! served, and a site that is on production never goes back, whatever else is seen or can't be seen.

use crate::model::{Phase, Served};

use super::leaf::Leaf;

/// Which cluster issuer a release is told to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Issuer {
    /// Proves the way at no cost.
    Staging,
    /// What visitors trust.
    Production,
}

impl Issuer {
    /// In the order in which they are used.
    pub const BOTH: [Self; 2] = [Self::Staging, Self::Production];

    /// The cluster issuer's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Staging => "letsencrypt-staging",
            Self::Production => "letsencrypt-production",
        }
    }
}

/// Whether the staging CA's roots are known, so that a staging chain can be verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StagingRoots {
    /// `acme.staging.roots` names them: a staging chain must verify to them.
    Known,
    /// A staging chain verifies to nothing. That the very leaf is served which our staging issuer wrote into the Secret still proves
    /// the way from the CA through the ingress; that it is trusted is proved by production alone.
    Unknown,
}

/// What is seen of one site.
#[derive(Clone, Debug)]
pub struct Evidence<'a> {
    /// All names of the site, each with what is served for it; none: nothing, or it can't be seen.
    pub names: Vec<(&'a str, Option<&'a Served>)>,
    /// The leaf in the site's TLS Secret.
    pub leaf: Option<Leaf>,
    /// Whether a staging chain can be verified.
    pub roots: StagingRoots,
}

/// The issuer of a release: `stored` is the one that its live revision was given, `now` in seconds since the epoch.
pub fn issuer(stored: Option<&str>, sites: &[Evidence<'_>], now: i64) -> Issuer {
    let live = stored == Some(Issuer::Production.name()) || sites.iter().any(Evidence::is_trusted);
    if live || (!sites.is_empty() && sites.iter().all(|site| site.deserves_production(now))) { Issuer::Production } else { Issuer::Staging }
}

impl Evidence<'_> {
    /// Visitors of a name get what production issued into the Secret, by whatever issuer: they would not by staging's.
    fn is_trusted(&self) -> bool {
        let trusted =
            |served: &Served| served.phase == Phase::Production && self.leaf.as_ref().is_some_and(|leaf| leaf.sha256 == served.sha256);
        self.names.iter().any(|(_, served)| served.is_some_and(trusted))
    }

    fn deserves_production(&self, now: i64) -> bool {
        let on_production = self.names.iter().all(|(_, served)| served.is_some_and(|served| served.phase == Phase::Production));
        // A release that was uninstalled leaves its certificate behind: it is used again, without an order.
        let kept = self.valid_leaf_of(Issuer::Production, now).is_some();
        on_production || kept || self.staging_is_verified(now)
    }

    /// Issued, and served for every name.
    pub fn staging_is_verified(&self, now: i64) -> bool {
        let Some(leaf) = self.valid_leaf_of(Issuer::Staging, now) else { return false };
        self.names.iter().all(|(_, served)| {
            served.is_some_and(|served| {
                let chain = match served.phase {
                    Phase::Staging => true,
                    Phase::Untrusted(_) => self.roots == StagingRoots::Unknown,
                    Phase::Production => false,
                };
                chain && served.sha256 == leaf.sha256
            })
        })
    }

    fn valid_leaf_of(&self, issuer: Issuer, now: i64) -> Option<&Leaf> {
        let names = || self.names.iter().all(|(name, _)| self.leaf.as_ref().is_some_and(|leaf| leaf.covers(name)));
        self.leaf.as_ref().filter(|leaf| leaf.issuer == issuer.name() && leaf.not_after > now && names())
    }
}

#[cfg(test)]
mod tests;
