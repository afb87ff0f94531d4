//! What bedplate does only when it is told to.

use clap::Args;

use super::Target;
use crate::inventory::Consent;

/// Flags that allow more than the ordinary.
#[derive(Args, Clone)]
pub struct Allowed {
    /// Take over what somebody else installed: k3s, helm, and releases, issuers, Secrets and keys that have bedplate's names
    #[arg(long)]
    adopt: bool,
    /// Remove what has bedplate's label and is no longer in the inventory
    #[arg(long)]
    pub(super) prune: bool,
    /// Order certificates without checking first that a challenge would succeed
    #[arg(long)]
    no_challenge_probe: bool,
}

impl Allowed {
    /// The same target, with what is allowed there.
    pub fn on(&self, target: &Target) -> Target {
        let said = [(self.adopt, Consent::Adopt), (self.prune, Consent::Prune), (self.no_challenge_probe, Consent::NoChallengeProbe)];
        let consents = said.into_iter().filter_map(|(said, consent)| said.then_some(consent)).collect();
        Target { consents, ..target.clone() }
    }
}
