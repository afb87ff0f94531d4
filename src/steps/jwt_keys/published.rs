//! The public halves for verifiers: a ConfigMap in every namespace where one runs.

use std::collections::BTreeSet;

use serde_json::json;

use super::ring::Ring;
use crate::inventory::JwtKeys;
use crate::model::{Manifest, Missing, ObjectRef};
use crate::steps::ours;

/// Where the keys are published; nowhere if the pair is not split.
pub fn objects(keys: &JwtKeys) -> Vec<ObjectRef> {
    let namespaces: BTreeSet<&str> = keys.namespaces().collect();
    let name = keys.public.iter();
    name.flat_map(|name| namespaces.iter().map(move |namespace| ObjectRef::new("v1", "ConfigMap", namespace, name))).collect()
}

/// What is published there: PEMs and a JWKS document of the same keys.
///
/// # Errors
/// The template is wrong.
pub fn manifests(keys: &JwtKeys, ring: &Ring, now: i64) -> Result<Vec<Manifest>, Missing> {
    let verifying = ring.verifying(now);
    let pem: String = verifying.iter().map(|(_, pem)| *pem).collect();
    let jwks = json!({ "keys": verifying.iter().map(|(key, _)| key.jwk()).collect::<Vec<_>>() }).to_string();
    let one = |object: ObjectRef| {
        let context = json!({ "name": object.name, "namespace": object.namespace, "pem": pem, "jwks": jwks });
        ours::manifest("jwt-public.yaml", &context)
    };
    objects(keys).into_iter().map(one).collect()
}
