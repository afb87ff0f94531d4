//! What a forced server-side apply would make of an object.

use ::kube::api::{Patch, PatchParams};
use ::kube::core::{Request, Status};
use serde_json::Value;

use crate::model::{Conflict, DryRun, Manifest};

use super::refusal::{is_absent, status, told};
use super::{Cluster, MANAGER};

/// Kinds whose fields an apply merges one by one, but for lists and what stands in them (Kubernetes' API reference). Most objects of a
/// release are of these, and to read one is cheaper for the server than to dry-run it.
const PLAIN: [&str; 7] =
    ["ClusterRole", "ClusterRoleBinding", "ConfigMap", "CustomResourceDefinition", "Role", "RoleBinding", "ServiceAccount"];

impl Cluster {
    /// Nothing is kept. An object whose kind or namespace is not there yet would be created as it stands.
    pub(super) async fn dry_run(&self, manifest: &Manifest) -> Result<DryRun, String> {
        let created = || DryRun { live: None, merged: strip(manifest.body().clone()), conflicts: Vec::new() };
        let object = manifest.object();
        let Some(kind) = self.kinds.of(object)? else { return Ok(created()) };
        if PLAIN.contains(&object.kind.as_str())
            && let Some(live) = self.object(object).await?
            && stands(&live, manifest.body())
        {
            let live = strip(live);
            return Ok(DryRun { merged: live.clone(), live: Some(live), conflicts: Vec::new() });
        }
        let home = kind.home(object);
        let params = PatchParams { dry_run: true, ..PatchParams::apply(MANAGER) };
        let apply = |params: PatchParams| Request::new(home.as_str()).patch(&object.name, &params, &Patch::Apply(manifest.body()));
        // Side by side: what differs between the two moments shows as a change, and is looked at again.
        let (live, mut merged) = tokio::join!(self.object(object), self.fetch(apply(params.clone())));
        let live = live?;
        let mut replaced = Vec::new();
        if let Some(status) = merged.as_ref().err().and_then(status).filter(|status| status.code == 409) {
            replaced = conflicts(status);
            merged = self.fetch(apply(params.force())).await;
        }
        match merged {
            Ok(merged) => Ok(DryRun { live: live.map(strip), merged: strip(merged), conflicts: replaced }),
            Err(error) if is_absent(&error) && live.is_none() => Ok(created()),
            Err(error) => Err(told(&error)),
        }
    }
}

/// Whether it is plain that an apply would change nothing of an object of a plain kind: what the manifest says stands there, and no field
/// is ours to be taken away.
fn stands(live: &Value, manifest: &Value) -> bool {
    let owned = live["metadata"]["managedFields"].as_array().is_some_and(|fields| fields.iter().any(|field| field["manager"] == MANAGER));
    !owned && holds(live, manifest)
}

/// Whether `live` has every field of `wanted`, and lists to the letter.
fn holds(live: &Value, wanted: &Value) -> bool {
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) => {
            wanted.iter().all(|(key, wanted)| live.get(key).is_some_and(|live| holds(live, wanted)))
        }
        _ => live == wanted,
    }
}

/// Drops what the server writes by itself, so that what is left differs only if the apply changes something.
fn strip(mut object: Value) -> Value {
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
    }
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        for field in ["managedFields", "resourceVersion", "generation", "creationTimestamp", "uid"] {
            metadata.remove(field);
        }
    }
    object
}

/// The values that a conflict names: `conflict with "kubectl" using v1`, each with its field (contract §6).
fn conflicts(status: &Status) -> Vec<Conflict> {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    let named =
        causes.filter_map(|cause| Some(Conflict { manager: cause.message.split('"').nth(1)?.to_owned(), field: cause.field.clone() }));
    named.collect()
}

#[cfg(test)]
#[path = "dry_run_tests.rs"]
mod tests;
