//! How far a rotation has come: nothing but what the Secret holds tells.

use crate::steps::jwt_keys::ring::Ring;

/// A state of the cluster between two keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// One key, and no other.
    Steady,
    /// The next key is there. It signs once all verifiers know it.
    Announced,
    /// The next key took the place of the old one. The signer must begin with it.
    Switched,
    /// The signer uses the new key. What the old one signed is valid until then, seconds since the epoch.
    Held(i64),
    /// Nothing that the old key signed is valid any more. Verifiers must forget it.
    Expired,
}

impl Stage {
    /// The stage of a Secret's keys at `now`.
    pub fn of(ring: &Ring, now: i64) -> Self {
        match (&ring.next, &ring.old) {
            // One that was withdrawn by a killed run is gone before another rotation begins.
            (_, Some(old)) => match old.until {
                None => Self::Switched,
                Some(until) if now < until => Self::Held(until),
                Some(_) => Self::Expired,
            },
            (Some(_), None) => Self::Announced,
            (None, None) => Self::Steady,
        }
    }
}
