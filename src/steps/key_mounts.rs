//! Who reads a private key: whoever does can sign for everybody. Pods tell, whatever made them.

mod volume;

use std::collections::BTreeSet;

use serde_json::Value;

use crate::inventory::{Inventory, JwtKeys};
use crate::model::{ApiQuestion, Finding, JWT_NEXT, JWT_PRIVATE, Missing, Note, Plan, Planned, Question, Scope, Step, StepId, View};

use super::workloads::pods;
use volume::Reads;

struct KeyMounts(JwtKeys);

/// One step a `[[jwt_keys]]` that says who signs.
pub(super) fn steps(inventory: &Inventory) -> Vec<Box<dyn Step>> {
    let signed = inventory.jwt_keys.iter().filter(|keys| keys.signer.is_some());
    signed.map(|keys| Box::new(KeyMounts(keys.clone())) as Box<dyn Step>).collect()
}

impl Step for KeyMounts {
    fn id(&self) -> StepId {
        StepId::named("key-mounts", format!("{}/{}", self.0.namespace, self.0.secret))
    }

    fn scope(&self) -> Scope {
        Scope::Cluster
    }

    fn questions(&self, _: &View<'_>) -> Vec<Question> {
        vec![Question::Api(ApiQuestion::List { of: pods::all(&self.0.namespace), selector: String::new() })]
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        let pods = seen.list(&pods::all(&self.0.namespace), "")?.map(Vec::as_slice).unwrap_or_default();
        let (mut strangers, mut readable) = (BTreeSet::new(), BTreeSet::new());
        for pod in pods.iter().filter(|pod| pod["metadata"].get("deletionTimestamp").is_none()) {
            let reads = volume::reads(&pod["spec"], &self.0.secret, &[JWT_PRIVATE, JWT_NEXT]);
            let owner = owner(pod);
            if reads != Reads::Nothing && self.0.signer.as_deref() != Some(owner) {
                strangers.insert(owner);
            }
            if let Reads::File { mode } = reads
                && mode & 0o004 != 0
            {
                readable.insert((owner, mode));
            }
        }
        let strangers = strangers.into_iter().map(|owner| Note::Warning(self.stranger(owner)));
        let readable = readable.into_iter().map(|(owner, mode)| Note::Warning(self.readable(owner, mode)));
        Ok(Planned::from(Plan::Converged).with_notes(strangers.chain(readable).collect()))
    }
}

impl KeyMounts {
    fn stranger(&self, owner: &str) -> Finding {
        let JwtKeys { secret, namespace, signer, .. } = &self.0;
        let what = format!(
            "{owner} in {namespace} can read {JWT_PRIVATE} of secret {secret}, and so sign tokens; only {} needs it",
            signer.as_deref().unwrap_or_default()
        );
        let cure = match &self.0.public {
            Some(public) => format!("let it mount configmap {public} instead"),
            None => format!("name a ConfigMap in `public` of [[jwt_keys]], and let it mount that instead of secret {secret}"),
        };
        Finding::new(what, cure)
    }

    fn readable(&self, owner: &str, mode: i64) -> Finding {
        let JwtKeys { secret, namespace, .. } = &self.0;
        let what =
            format!("{owner} in {namespace} mounts {JWT_PRIVATE} of secret {secret} with mode {mode:04o}: every process there can read it");
        Finding::new(what, "set defaultMode: 0440 on the volume, and fsGroup in the pod's securityContext")
    }
}

/// What made the pod: a Deployment by way of its ReplicaSet; the pod itself if nothing did.
fn owner(pod: &Value) -> &str {
    let metadata = &pod["metadata"];
    let own = metadata["name"].as_str().unwrap_or_default();
    let Some(owner) = metadata["ownerReferences"].get(0) else { return own };
    let name = owner["name"].as_str().unwrap_or(own);
    let hash = metadata["labels"]["pod-template-hash"].as_str().unwrap_or_default();
    match owner["kind"].as_str() {
        Some("ReplicaSet") => name.strip_suffix(hash).and_then(|name| name.strip_suffix('-')).unwrap_or(name),
        _ => name,
    }
}
