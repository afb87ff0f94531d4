//! Where a rotation begins: only when it is asked for.

use super::Rotation;
use super::{absent, foreign};
use crate::model::{Action, ApiAction, LiveSecret, Missing, Plan, Planned, View};
use crate::steps::jwt_keys;
use crate::steps::jwt_keys::pair::Private;
use crate::steps::jwt_keys::ring::Ring;

/// The key that signing is to leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leave {
    /// None.
    None,
    /// Whichever signs.
    Any,
    /// The key of this id: once another signs, nothing begins any more.
    Key(String),
}

impl Leave {
    /// Whether it means the key that signs.
    pub fn means(&self, signing: &Private) -> bool {
        match self {
            Self::None => false,
            Self::Any => true,
            Self::Key(kid) => signing.public.kid() == *kid,
        }
    }
}

impl Rotation {
    /// The next key is made once everybody is there who must read it.
    pub(super) fn begin(&self, live: &LiveSecret, ring: &Ring, seen: &View<'_>) -> Result<Planned, Missing> {
        if !self.leave.means(&ring.signing) {
            return Ok(Plan::Converged.into());
        }
        if !jwt_keys::is_ours(live) {
            return Ok(foreign(live));
        }
        for reader in self.signer().into_iter().chain(self.verifiers()) {
            if !reader.is_there(seen)? {
                return Ok(absent(&reader));
            }
        }
        let follows = ring.signing.public.kid();
        let reason = match self.keys.public {
            Some(_) => format!("key {follows} is to be left; tokens that it signed stay valid"),
            None => format!("key {follows} is to be left, and every token that it signed ends: the pair has no `public` for two keys"),
        };
        let (namespace, name, kind) = (self.keys.namespace.clone(), self.keys.secret.clone(), self.keys.kind());
        let add = ApiAction::AddKeyPair { namespace, name, kind, follows, resource_version: live.resource_version.clone() };
        Ok(Planned::act(vec![Action::Api(add)], vec![reason]))
    }
}
