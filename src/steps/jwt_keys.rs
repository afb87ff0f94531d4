//! Key pairs for tokens: made in memory, once. The live Secret wins for ever: a private key is never replaced unasked, since
//! every token out there hangs on it; a lost public half is derived again. What verifies tokens is published beside.

pub(super) mod pair;
mod published;
pub(super) mod ring;

use crate::inventory::{Consent, Inventory, JwtKeys};
use crate::model::{
    Action, ApiAction, ApiQuestion, Finding, JWT_PRIVATE, JWT_PUBLIC, KEY_ID, KeyKind, LiveSecret, Manifest, Missing, ObjectRef,
    OperatorQuestion, Plan, Planned, Question, Scope, Secret, SecretKind, SecretSpec, Step, StepId, View,
};

use super::{drift, ours, secrets};
use ring::{Ring, Unread};

struct Keys {
    keys: JwtKeys,
    state: State,
    adopts: bool,
}

/// What becomes of a pair of another kind than the inventory says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It stays, and is told.
    Kept,
    /// It is about to be followed by one of the right kind.
    Leaving,
}

/// One step a `[[jwt_keys]]`.
pub(super) fn steps(inventory: &Inventory) -> Vec<Box<dyn Step>> {
    let adopts = inventory.consents.contains(&Consent::Adopt);
    let keys = |keys: &JwtKeys| Keys { keys: keys.clone(), state: State::Kept, adopts };
    inventory.jwt_keys.iter().map(|pair| Box::new(keys(pair)) as Box<dyn Step>).collect()
}

/// The step of one of them.
pub(super) fn step(keys: &JwtKeys, state: State) -> Box<dyn Step> {
    Box::new(Keys { keys: keys.clone(), state, adopts: false })
}

/// The ConfigMaps that bear our label.
pub(super) fn objects(inventory: &Inventory) -> impl Iterator<Item = ObjectRef> {
    inventory.jwt_keys.iter().flat_map(published::objects)
}

/// Whether bedplate made the Secret, or was given it.
pub(super) fn is_ours(live: &LiveSecret) -> bool {
    secrets::is_ours(live) || live.annotations.contains_key(KEY_ID)
}

impl Step for Keys {
    fn id(&self) -> StepId {
        StepId::named("jwt-keys", format!("{}/{}", self.keys.namespace, self.keys.secret))
    }

    fn scope(&self) -> Scope {
        Scope::Cluster
    }

    fn questions(&self, seen: &View<'_>) -> Vec<Question> {
        let mut questions =
            vec![Question::Api(ApiQuestion::Secret { namespace: self.keys.namespace.clone(), name: self.keys.secret.clone() })];
        if self.keys.public.is_some() {
            questions.push(Question::Operator(OperatorQuestion::Clock));
            if let Ok(Some(live)) = seen.secret(&self.keys.namespace, &self.keys.secret)
                && let Ok(ring) = Ring::of(live)
            {
                let manifests = self.published(&ring, seen).unwrap_or_default();
                questions.extend(manifests.into_iter().map(|manifest| Question::Api(ApiQuestion::DryRun(manifest))));
            }
        }
        questions
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        let Some(live) = seen.secret(&self.keys.namespace, &self.keys.secret)? else {
            let (namespace, name, kind) = (self.keys.namespace.clone(), self.keys.secret.clone(), self.keys.kind());
            return Ok(Planned::act(
                vec![Action::Api(ApiAction::CreateKeyPair { namespace, name, kind })],
                vec!["the key pair is absent".into()],
            ));
        };
        let ring = match Ring::of(live) {
            Ok(ring) => ring,
            Err(Unread { key, why }) if key == JWT_PRIVATE => {
                let (what, cure) = match live.data.contains_key(JWT_PRIVATE) {
                    false => (format!("{key} is gone"), "put the lost key back from a backup"),
                    true => (format!("{key} can't be read: {why}"), "put the right key back from a backup"),
                };
                return Ok(self.unmet(what, cure));
            }
            Err(Unread { key, why }) => {
                let (namespace, secret) = (&self.keys.namespace, &self.keys.secret);
                let cure = format!("kubectl -n {namespace} edit secret {secret}, take {key} out, and rotate again");
                return Ok(Plan::Unmet(vec![Finding::new(format!("{key} can't be read: {why}"), cure)]).into());
            }
        };
        if ring.next.is_none()
            && self.state == State::Kept
            && let Some(unmet) = self.of_another_kind(ring.signing.public.kind)
        {
            return Ok(unmet);
        }
        match live.data.get(JWT_PUBLIC) {
            None => Ok(self.complete(live, &ring)),
            Some(public) if ring.signing.matches(public) => {
                if self.adopts && !is_ours(live) {
                    return Ok(self.complete(live, &ring));
                }
                let published = self.published(&ring, seen)?;
                match ours::foreign(&published, seen)?.filter(|_| !self.adopts) {
                    Some(unmet) => Ok(unmet.into()),
                    None => drift::mend(published.iter(), seen),
                }
            }
            Some(_) => Ok(self.unmet(
                format!("{JWT_PUBLIC} does not belong to {JWT_PRIVATE}"),
                &format!("if the private half is the right one, remove {JWT_PUBLIC} from the secret and run again: it is derived anew"),
            )),
        }
    }
}

impl Keys {
    /// What verifiers must find; nothing if the pair is not split.
    fn published(&self, ring: &Ring, seen: &View<'_>) -> Result<Vec<Manifest>, Missing> {
        if self.keys.public.is_none() {
            return Ok(Vec::new());
        }
        published::manifests(&self.keys, ring, seen.clock()?)
    }

    fn of_another_kind(&self, live: KeyKind) -> Option<Planned> {
        let (what, keep) = match (live, self.keys.kind()) {
            (KeyKind::Rs256 { bits }, KeyKind::Rs256 { bits: asked }) if bits < asked => {
                (format!("{JWT_PRIVATE} has {bits} bits, and {asked} are asked for"), format!("say bits = {bits}"))
            }
            (KeyKind::Rs256 { .. }, KeyKind::Rs256 { .. }) => return None,
            (live, asked) if live == asked => return None,
            (live, asked) => (
                format!("{JWT_PRIVATE} is a key for {}, and one for {} is asked for", live.algorithm(), asked.algorithm()),
                format!("say algorithm = \"{}\"", live.algorithm()),
            ),
        };
        let cure = format!("{keep} to keep it, or have the other follow it: bedplate rotate jwt, with this inventory");
        Some(Plan::Unmet(vec![Finding::new(what, cure)]).into())
    }

    /// What makes it a pair of ours, whole.
    fn complete(&self, live: &LiveSecret, ring: &Ring) -> Planned {
        let lacks = !live.data.contains_key(JWT_PUBLIC);
        let derived = lacks.then(|| format!("{JWT_PUBLIC} is added, derived from {JWT_PRIVATE}, which stays as it is"));
        let mut reasons: Vec<String> = derived.into_iter().collect();
        if !is_ours(live) {
            if !self.adopts {
                return Plan::Unmet(vec![secrets::foreign(live, secrets::adoption(&reasons))]).into();
            }
            reasons.insert(0, "it is taken over".into());
        }
        let mut data = live.data.clone();
        if lacks {
            data.insert(JWT_PUBLIC.into(), Secret::new(ring.signing.public_pem.as_str()));
        }
        let spec = SecretSpec {
            namespace: self.keys.namespace.clone(),
            name: self.keys.secret.clone(),
            kind: SecretKind::Opaque,
            data,
            annotations: [(KEY_ID.to_owned(), Some(ring.signing.public.kid()))].into(),
            resource_version: Some(live.resource_version.clone()),
        };
        Planned::act(vec![Action::Api(ApiAction::PutSecret(spec))], reasons)
    }

    fn unmet(&self, what: String, cure: &str) -> Planned {
        let (namespace, secret) = (&self.keys.namespace, &self.keys.secret);
        let anew = format!("or, if every session may end, start anew: kubectl -n {namespace} delete secret {secret}");
        Plan::Unmet(vec![Finding::new(what, format!("{cure}; {anew}"))]).into()
    }
}
