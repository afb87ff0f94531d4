//! From one stage to the next: each is one write of the Secret.

use std::collections::BTreeMap;

use super::Rotation;
use super::stage::Stage;
use crate::inventory;
use crate::model::{
    Action, ApiAction, JWT_NEXT, JWT_OLD, JWT_PRIVATE, JWT_PUBLIC, KEY_ID, LiveSecret, Plan, Planned, Secret, SecretKind, SecretSpec,
    WITHDRAWN_AFTER,
};
use crate::steps::jwt_keys::ring::Ring;

impl Rotation {
    /// Leads out of a stage in which nothing is left to be done.
    pub(super) fn turn(&self, stage: Stage, live: &LiveSecret, ring: &Ring, now: i64) -> Planned {
        match (stage, &ring.next) {
            (Stage::Announced, Some(next)) => {
                let mut data = live.data.clone();
                if let Some(private) = data.remove(JWT_NEXT) {
                    data.insert(JWT_PRIVATE.into(), private);
                }
                data.insert(JWT_PUBLIC.into(), Secret::new(next.public_pem.as_str()));
                data.insert(JWT_OLD.into(), Secret::new(ring.signing.public_pem.as_str()));
                let kid = next.public.kid();
                let reason = format!("key {kid} signs from now on, and {} no more", ring.signing.public.kid());
                self.write(live, data, [(KEY_ID, Some(kid))], reason)
            }
            (Stage::Switched, _) if self.keys.public.is_some() => {
                let lifetime = self.keys.token_lifetime.as_deref().and_then(inventory::duration).unwrap_or_default();
                let until = now.saturating_add(i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX));
                let until = jiff::Timestamp::from_second(until).unwrap_or(jiff::Timestamp::MAX).to_string();
                let reason = format!("the signer uses the new key; what the old one signed is valid until {until}");
                self.write(live, live.data.clone(), [(WITHDRAWN_AFTER, Some(until))], reason)
            }
            (Stage::Switched | Stage::Expired, _) => {
                let mut data = live.data.clone();
                data.remove(JWT_OLD);
                self.write(live, data, [(WITHDRAWN_AFTER, None)], "nobody needs the old key any more".into())
            }
            (Stage::Steady | Stage::Announced | Stage::Held(_), _) => Plan::Converged.into(),
        }
    }

    fn write(&self, live: &LiveSecret, data: BTreeMap<String, Secret>, annotation: [(&str, Option<String>); 1], reason: String) -> Planned {
        let spec = SecretSpec {
            namespace: self.keys.namespace.clone(),
            name: self.keys.secret.clone(),
            data,
            kind: SecretKind::Opaque,
            annotations: annotation.map(|(name, value)| (name.to_owned(), value)).into(),
            resource_version: Some(live.resource_version.clone()),
        };
        Planned::act(vec![Action::Api(ApiAction::PutSecret(spec))], vec![reason])
    }
}
