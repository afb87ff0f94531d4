//! What only the command line can allow.

use serde::Deserialize;

/// Something that bedplate does not do unless it is told to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Consent {
    /// Take over what somebody else installed: k3s, helm, and releases, issuers, Secrets and keys that have our names.
    Adopt,
    /// Remove what bears our label and left the inventory.
    Prune,
    /// Order certificates although nobody has seen that the CA would find the challenge.
    NoChallengeProbe,
}
