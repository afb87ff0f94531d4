//! `secrets-encryption` in config.yaml. A new cluster has it from its first start on. One with data must be told first, while it runs
//! without it (`k3s secrets-encrypt enable`), and can't be without it any more once Secrets are encrypted.

use crate::inventory::{Inventory, Role};
use crate::model::{CLUSTER_CA, ENCRYPTION_CONFIG, Finding, HostQuestion, Missing, Question, View};
use crate::steps::adoption::sets;

use super::files::CONFIG;

/// The key.
pub const KEY: &str = "secrets-encryption";

/// What must be known beside config.yaml.
pub fn questions(role: Role, seen: &View<'_>) -> Vec<Question> {
    let paths = [ENCRYPTION_CONFIG, CLUSTER_CA].into_iter().filter(|_| role == Role::Server);
    paths.map(|path| seen.ask(HostQuestion::Stat(path.into()))).collect()
}

/// Whether Secrets are to be encrypted.
pub fn wanted(inventory: &Inventory) -> bool {
    inventory.k3s.0.get(KEY).is_some_and(|value| value == true)
}

/// What tells whether a server has begun to run.
pub fn asks_data(seen: &View<'_>) -> Question {
    seen.ask(HostQuestion::Stat(CLUSTER_CA.into()))
}

/// Whether a server has begun to run.
///
/// # Errors
/// The host's files can't be seen.
pub fn has_data(seen: &View<'_>) -> Result<bool, Missing> {
    Ok(seen.stat(CLUSTER_CA)?.is_some())
}

/// Whether config.yaml must not have it yet.
///
/// # Errors
/// The host's files can't be seen.
pub fn too_early(inventory: &Inventory, seen: &View<'_>) -> Result<bool, Missing> {
    Ok(wanted(inventory) && seen.stat(ENCRYPTION_CONFIG)?.is_none() && has_data(seen)? && !is_set(seen)?)
}

/// Why config.yaml can't lose it.
///
/// # Errors
/// The host's files can't be seen.
pub fn kept(inventory: &Inventory, seen: &View<'_>) -> Result<Option<Finding>, Missing> {
    if wanted(inventory) || seen.stat(ENCRYPTION_CONFIG)?.is_none() || !is_set(seen)? {
        return Ok(None);
    }
    let what = "secrets are encrypted in k3s' datastore, and without `secrets-encryption` nobody could read them any more";
    Ok(Some(Finding::new(what, "put `secrets-encryption = true` back into [k3s]")))
}

fn is_set(seen: &View<'_>) -> Result<bool, Missing> {
    Ok(seen.content(CONFIG)?.is_some_and(|content| sets(content, KEY)))
}
