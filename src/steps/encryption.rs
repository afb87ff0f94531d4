//! `encryption`: whether k3s encrypts Secrets in its datastore, and where [k3s] asks for it and there is data already, how that comes about
//! (k3s-docs:cli/secrets-encrypt): k3s is told, then `k3s` writes the flag and restarts it, then every Secret is written anew. Each of it is a
//! state of the host, so a run that was ended is gone on with.

use std::time::Duration;

use super::k3s;
use crate::inventory::{Host, Inventory};
use crate::model::{
    Action, ApiQuestion, Condition, ENCRYPTION_CONFIG, Encrypting, Finding, HostAction, HostId, HostQuestion, Missing, Note, ObjectRef,
    Plan, Planned, Provider, Question, Scope, Step, StepId, UnitChange, View,
};

/// Where k3s tells how far it is: `STAGE-DIGEST`, of its file (k3s:pkg/secretsencrypt/config.go).
const PROGRESS: &str = "k3s.io/encryption-config-hash";

/// Its stage while it writes Secrets.
const ACTIVE: &str = "reencrypt_active";

const CUT_OFF: &str = "a change of k3s' keys for secrets was cut off: some may lie in its datastore as they were before";

const NEWER: &str = "set `k3s` in [versions] to v1.33.10+k3s1, v1.34.6+k3s1, v1.35.3+k3s1 or newer";

/// Its node tells of the same file before and after, and k3s begins no change of keys while that is another one
/// (k3s:pkg/server/handlers/secrets-encrypt.go).
const REWRITE: &str = "`k3s kubectl get secrets -A -o json | k3s kubectl replace -f -` on the server writes them anew. k3s takes no note of that: this \
                       warning stays, and means then that k3s refuses to change its keys (`invalid hash`), see \
                       https://docs.k3s.io/cli/secrets-encrypt. It can go on by itself only where all keys are for AES-CBC";

/// For some thousand Secrets.
const WITHIN: Duration = Duration::from_secs(900);

struct Encryption {
    host: Host,
    wanted: bool,
    version: String,
}

/// One, for the first server.
pub(super) fn steps(inventory: &Inventory) -> Vec<Box<dyn Step>> {
    let step = |host: &Host| Encryption { host: host.clone(), wanted: k3s::encrypts(inventory), version: inventory.versions.k3s.clone() };
    inventory.server().map(|host| Box::new(step(host)) as Box<dyn Step>).into_iter().collect()
}

impl Step for Encryption {
    fn id(&self) -> StepId {
        StepId::of("encryption")
    }

    fn scope(&self) -> Scope {
        Scope::Host(HostId(self.host.name.clone()))
    }

    fn questions(&self, seen: &View<'_>) -> Vec<Question> {
        let mut questions = vec![seen.ask(HostQuestion::Encryption)];
        if self.wanted && matches!(seen.encryption(), Ok(None)) {
            questions.push(k3s::asks_data(seen));
        }
        if matches!(seen.encryption(), Ok(Some(_))) {
            questions.push(seen.ask(HostQuestion::Digest(ENCRYPTION_CONFIG.into())));
            questions.push(Question::Api(ApiQuestion::Object(self.node())));
        }
        if matches!(self.cut_off(seen), Ok(true)) {
            questions.push(seen.ask(HostQuestion::Stat(ENCRYPTION_CONFIG.into())));
            questions.push(seen.ask(HostQuestion::Unit(k3s::unit(self.host.role).into())));
        }
        questions
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        let providers = seen.encryption()?.map(Vec::as_slice);
        match providers {
            None | Some([Provider::Identity, ..]) if !self.wanted => Ok(Planned::from(Plan::Converged).with_notes(vec![Note::Fact(
                "secrets lie in k3s' datastore as they are; `secrets-encryption = true` in [k3s] encrypts them".into(),
            )])),
            None if !k3s::has_data(seen)? => Ok(Planned::from(Plan::Converged)
                .with_notes(vec![Note::Fact("there are no secrets yet; k3s encrypts them from its first start on".into())])),
            None if !is_supported(&self.version) => Ok(unsupported(&self.version)),
            None => Ok(act(seen, vec![HostAction::Encrypt(Encrypting::Enable)], "secrets lie in k3s' datastore as they are")),
            // The restart is k3s' own advice: the API server has read the new key before Secrets were written by it.
            Some([Provider::Identity]) => {
                let restart = HostAction::Unit { unit: k3s::unit(self.host.role).into(), change: UnitChange::Restart };
                let actions = vec![HostAction::Encrypt(Encrypting::RotateKeys), restart];
                Ok(act(seen, actions, "secrets lie in k3s' datastore as they are, and k3s is ready to encrypt them"))
            }
            Some([Provider::Identity, ..]) => Ok(Plan::Unmet(vec![Finding::new(
                "somebody switched k3s' encryption of secrets off: it has a key and does not use it",
                "on the server: `k3s secrets-encrypt enable`, `systemctl restart k3s`, `k3s secrets-encrypt reencrypt --force --skip`",
            )])
            .into()),
            Some(providers) => self.encrypted(seen, providers),
        }
    }
}

impl Encryption {
    fn node(&self) -> ObjectRef {
        ObjectRef::new("v1", "Node", "", &k3s::node_name(&self.host))
    }

    /// k3s writes Secrets by a key; whether it has written all of them it tells at its node.
    fn encrypted(&self, seen: &View<'_>, providers: &[Provider]) -> Result<Planned, Missing> {
        if self.progress(seen)?.0 == ACTIVE {
            return Ok(Plan::Wait(Condition {
                what: "k3s has encrypted every secret with its new key".into(),
                seen: "it is writing them".into(),
                cure: "see `journalctl -u k3s` on the server for `failed to update secret`; cure that and `systemctl restart k3s`: a run goes on with it"
                    .into(),
                within: WITHIN,
            })
            .into());
        }
        let by = providers.first().map(ToString::to_string).unwrap_or_default();
        let mut notes = vec![Note::Fact(format!("secrets are encrypted in k3s' datastore, by {by}"))];
        if self.cut_off(seen)? {
            let cure = match providers {
                [Provider::Aescbc, Provider::Identity] if is_supported(&self.version) => return self.go_on(seen),
                [Provider::Aescbc, Provider::Identity] => format!("{NEWER}: bootstrap goes on with it then"),
                _ => REWRITE.to_owned(),
            };
            notes.push(Note::Warning(Finding::new(CUT_OFF, cure)));
        }
        Ok(Planned::from(Plan::Converged).with_notes(notes))
    }

    /// How far k3s says that it is, and of which file it says so.
    fn progress<'a>(&self, seen: &View<'a>) -> Result<(&'a str, &'a str), Missing> {
        let told = seen.object(&self.node())?.and_then(|node| node["metadata"]["annotations"][PROGRESS].as_str());
        Ok(told.and_then(|told| told.rsplit_once('-')).unwrap_or_default())
    }

    /// Whether k3s was ended between a change of its file and the last Secret: it tells of the file before then.
    fn cut_off(&self, seen: &View<'_>) -> Result<bool, Missing> {
        let (stage, digest) = self.progress(seen)?;
        Ok(stage != ACTIVE && !digest.is_empty() && seen.digest(ENCRYPTION_CONFIG)?.is_some_and(|live| live != digest))
    }

    /// k3s has each key in its file before a Secret is written by it (k3s#13764), and takes no key away before all are: so it may write all of
    /// them once more, by the key that comes first in the file that it has read.
    fn go_on(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        let (unit, file) = (k3s::unit(self.host.role), seen.stat(ENCRYPTION_CONFIG)?);
        let read = file.zip(seen.unit(unit)?).is_some_and(|(file, unit)| k3s::has_read(unit, file.changed));
        let action = match read {
            true => HostAction::Encrypt(Encrypting::Reencrypt),
            false => HostAction::Unit { unit: unit.into(), change: UnitChange::Restart },
        };
        Ok(act(seen, vec![action], CUT_OFF))
    }
}

fn act(seen: &View<'_>, actions: Vec<HostAction>, reason: &str) -> Planned {
    let actions = actions.into_iter().map(|action| Action::Host(seen.host().clone(), action)).collect();
    Planned::act(actions, vec![reason.to_owned()])
}

/// k3s can encrypt what is there already since March 2026 (k3s-docs:cli/secrets-encrypt); `NEWER` names the versions.
fn is_supported(version: &str) -> bool {
    let mut numbers = version.trim_start_matches('v').split(['.', '+']).map(|part| part.parse::<u64>().unwrap_or_default());
    let (major, minor, patch) = (numbers.next(), numbers.next(), numbers.next());
    let since = match minor {
        Some(..33) | None => return major > Some(1),
        Some(33) => 10,
        Some(34) => 6,
        Some(35) => 3,
        Some(_) => 0,
    };
    patch >= Some(since)
}

fn unsupported(version: &str) -> Planned {
    let what = format!("secrets lie in k3s' datastore as they are, and {version} encrypts only those of a new cluster");
    let cure = format!("{NEWER}; or take `secrets-encryption` out of [k3s]");
    Plan::Unmet(vec![Finding::new(what, cure)]).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_that_is_there_is_encrypted_since_the_releases_of_march_2026() {
        for version in ["v1.33.10+k3s1", "v1.34.6+k3s1", "v1.35.3+k3s1", "v1.35.5+k3s1", "v1.36.0+k3s1"] {
            assert!(is_supported(version), "{version}");
        }
        for version in ["v1.32.13+k3s1", "v1.33.9+k3s1", "v1.34.5+k3s3", "v1.35.2+k3s1", "v1.35.0+k3s3"] {
            assert!(!is_supported(version), "{version}");
        }
    }
}
