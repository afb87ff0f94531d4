//! Putting one cluster into a kubeconfig and leaving all others as they are.
//!
//! The context bears the inventory's name; its cluster and user bear `bedplate-<name>`, and by that we know them again. So a context of that
//! name with another user is somebody else's and is refused, while one of ours is brought up to date even when the CA is a new one: that is
//! what a reinstall looks like. The operator's file is backed up before it is replaced.

use serde_json::{Map, Value, json};

use super::credentials::Credentials;
use crate::model::{Finding, Secret};

/// What the file must say of our cluster.
pub struct Entry<'a> {
    /// Of the inventory.
    pub name: &'a str,
    /// `https://127.0.0.1:6443`.
    pub server: String,
    /// As k3s wrote them.
    pub credentials: &'a Credentials,
}

/// The merged file; none: it says all that already.
///
/// # Errors
/// The file is no kubeconfig, or it has a context of that name which is not ours. `path` is for the words alone.
pub fn merge(path: &str, before: Option<&Secret>, entry: &Entry<'_>) -> Result<Option<Secret>, Finding> {
    let no_kubeconfig = || Finding::new(format!("{path} is no kubeconfig"), "repair it, or move it away");
    let file = read(before).ok_or_else(no_kubeconfig)?;
    let ours = format!("bedplate-{}", entry.name);
    if let Some(user) = user_of(&file, entry.name).filter(|user| *user != ours) {
        let what = format!("{path} has a context {} of another making (its user is {user})", entry.name);
        return Err(Finding::new(what, "rename that context, or give the inventory another name"));
    }
    let mut merged = file.clone();
    put(&mut merged, entry, &ours).ok_or_else(no_kubeconfig)?;
    if before.is_some() && merged == file {
        return Ok(None);
    }
    let style = serde_saphyr::ser_options! { prefer_block_scalars: false };
    let text = serde_saphyr::to_string_with_options(&merged, style).map_err(|_| no_kubeconfig())?;
    Ok(Some(Secret::new(text)))
}

/// An absent or empty file is an empty one.
fn read(before: Option<&Secret>) -> Option<Map<String, Value>> {
    let text = before.map_or(Some(""), Secret::expose_str)?;
    if text.trim().is_empty() { Some(Map::new()) } else { serde_saphyr::from_str(text).ok() }
}

/// The user of the context of this name.
fn user_of<'a>(file: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    let contexts = file.get("contexts")?.as_array()?;
    contexts.iter().find(|context| context["name"] == name).map(|context| context["context"]["user"].as_str().unwrap_or_default())
}

/// Sets what is ours; none: the file has something else where a list must be.
fn put(file: &mut Map<String, Value>, entry: &Entry<'_>, ours: &str) -> Option<()> {
    let Credentials { ca, certificate, key } = entry.credentials;
    for (field, value) in [("apiVersion", "v1"), ("kind", "Config")] {
        file.entry(field).or_insert_with(|| json!(value));
    }
    let cluster = json!({ "certificate-authority-data": ca, "server": entry.server });
    *named(file, "clusters", "cluster", ours)? = cluster;
    *named(file, "users", "user", ours)? = json!({ "client-certificate-data": certificate, "client-key-data": key });
    // A namespace that the user chose for the context stays.
    let context = named(file, "contexts", "context", entry.name)?.as_object_mut()?;
    context.insert("cluster".into(), json!(ours));
    context.insert("user".into(), json!(ours));
    let current = file.entry("current-context").or_insert(Value::Null);
    if current.as_str().unwrap_or_default().is_empty() {
        *current = json!(entry.name);
    }
    Some(())
}

/// The body of the item of this name in one of the file's lists, made if it lacks.
fn named<'a>(file: &'a mut Map<String, Value>, list: &str, body: &str, name: &str) -> Option<&'a mut Value> {
    let items = file.entry(list).or_insert(Value::Null);
    if items.is_null() {
        *items = json!([]);
    }
    let items = items.as_array_mut()?;
    let place = items.iter().position(|item| item["name"] == name).unwrap_or_else(|| {
        items.push(json!({ "name": name, body: {} }));
        items.len() - 1
    });
    items.get_mut(place)?.as_object_mut()?.get_mut(body)
}

#[cfg(test)]
#[path = "merge_tests.rs"]
mod tests;
