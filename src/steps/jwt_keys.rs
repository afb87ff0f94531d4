//! Key pairs for tokens (S3-40..43): made in memory, once. The live Secret wins for ever: a private key is never replaced, since every token
//! out there hangs on it; a lost public half is derived again.

use crate::inventory::{Inventory, JwtKeys};
use crate::model::{
    Action, ApiAction, ApiQuestion, Finding, JWT_PRIVATE, JWT_PUBLIC, KeyKind, LiveSecret, Missing, Plan, Planned, Question, Scope, Secret, SecretKind, SecretSpec, Step, StepId, View,
};

mod pair;

struct Keys(JwtKeys);

/// One step a `[[jwt_keys]]`.
pub(super) fn steps(inventory: &Inventory) -> Vec<Box<dyn Step>> {
    inventory.jwt_keys.iter().map(|keys| Box::new(Keys(keys.clone())) as Box<dyn Step>).collect()
}

impl Step for Keys {
    fn id(&self) -> StepId {
        StepId::named("jwt-keys", format!("{}/{}", self.0.namespace, self.0.secret))
    }

    fn scope(&self) -> Scope {
        Scope::Cluster
    }

    fn questions(&self, _: &View<'_>) -> Vec<Question> {
        vec![Question::Api(ApiQuestion::Secret { namespace: self.0.namespace.clone(), name: self.0.secret.clone() })]
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        let Some(live) = seen.secret(&self.0.namespace, &self.0.secret)? else {
            let (namespace, name, kind) = (self.0.namespace.clone(), self.0.secret.clone(), self.0.kind());
            return Ok(Planned::act(
                vec![Action::Api(ApiAction::CreateKeyPair { namespace, name, kind })],
                vec!["the key pair is absent".into()],
            ));
        };
        let Some(private) = live.data.get(JWT_PRIVATE) else {
            return Ok(self.unmet(format!("{JWT_PRIVATE} is gone"), "put the lost key back from a backup"));
        };
        let private = match pair::Private::parse(private) {
            Ok(private) => private,
            Err(why) => return Ok(self.unmet(format!("{JWT_PRIVATE} can't be read: {why}"), "put the right key back from a backup")),
        };
        match (private.public.kind, self.0.kind()) {
            (KeyKind::Rs256 { bits }, KeyKind::Rs256 { bits: asked }) if bits < asked => {
                let what = format!("{JWT_PRIVATE} has {bits} bits, and {asked} are asked for");
                return Ok(self.unmet(what, &format!("say bits = {bits} to keep it")));
            }
            (KeyKind::Rs256 { .. }, KeyKind::Rs256 { .. }) => {}
            (live, asked) if live == asked => {}
            (live, asked) => {
                let what = format!("{JWT_PRIVATE} is a key for {}, and one for {} is asked for", live.algorithm(), asked.algorithm());
                return Ok(self.unmet(what, &format!("say algorithm = \"{}\" to keep it", live.algorithm())));
            }
        }
        Ok(match live.data.get(JWT_PUBLIC) {
            None => self.complete(live, &private),
            Some(public) if private.matches(public) => Plan::Converged.into(),
            Some(_) => self.unmet(
                format!("{JWT_PUBLIC} does not belong to {JWT_PRIVATE}"),
                &format!("if the private half is the right one, remove {JWT_PUBLIC} from the secret and run again: it is derived anew"),
            ),
        })
    }
}

impl Keys {
    fn complete(&self, live: &LiveSecret, private: &pair::Private) -> Planned {
        let mut data = live.data.clone();
        data.insert(JWT_PUBLIC.into(), Secret::new(private.public_pem.clone()));
        let spec = SecretSpec {
            namespace: self.0.namespace.clone(),
            name: self.0.secret.clone(),
            kind: SecretKind::Opaque,
            data,
            removed: Vec::new(),
            resource_version: Some(live.resource_version.clone()),
        };
        Planned::act(
            vec![Action::Api(ApiAction::PutSecret(spec))],
            vec![format!("{JWT_PUBLIC} is added, derived from {JWT_PRIVATE}, which stays as it is")],
        )
    }

    fn unmet(&self, what: String, cure: &str) -> Planned {
        let (namespace, secret) = (&self.0.namespace, &self.0.secret);
        let anew = format!("or, if every session may end, start anew: kubectl -n {namespace} delete secret {secret}");
        Plan::Unmet(vec![Finding::new(what, format!("{cure}; {anew}"))]).into()
    }
}
