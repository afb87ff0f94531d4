//! The files that make a k3s server, as this inventory wants them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::inventory::{Host, Inventory};
use crate::model::{Content, FileWrite, Finding, Owner, Secret};
use crate::steps::file::holds_secret;
use crate::template::render;

/// k3s itself.
pub const BINARY: &str = "/usr/local/bin/k3s";
/// Read by k3s at start.
pub const CONFIG: &str = "/etc/rancher/k3s/config.yaml";
/// Read by k3s at start.
pub const REGISTRIES: &str = "/etc/rancher/k3s/registries.yaml";
/// Ours, not the installer's.
pub const UNIT_FILE: &str = "/etc/systemd/system/k3s.service";

/// Every file, rendered.
///
/// # Errors
/// A template is broken: a bug of bedplate.
pub fn files(inventory: &Inventory, host: &Host) -> Result<Vec<FileWrite>, Finding> {
    let mut files = vec![config(inventory, host)?];
    if let Some(registries) = &inventory.registries {
        let text = render("registries.yaml", &json!({ "mirrors": registries.mirrors, "configs": registries.configs }))?;
        files.push(file(REGISTRIES, 0o600, Content::Hidden(Secret::new(text))));
    }
    let unit = render("k3s.service", &json!({ "binary": BINARY }))?;
    files.push(file(UNIT_FILE, 0o644, Content::Plain(unit)));
    Ok(files)
}

fn config(inventory: &Inventory, host: &Host) -> Result<FileWrite, Finding> {
    let mut keys: BTreeMap<&str, Value> =
        BTreeMap::from([("node-name", json!(node_name(host))), ("write-kubeconfig-mode", json!("0600"))]);
    keys.extend(host.node_ip.map(|ip| ("node-ip", json!(ip))));
    keys.extend(inventory.k3s.0.iter().map(|(key, value)| (key.as_str(), value.clone())));
    let text = render("config.yaml", &json!({ "keys": keys }))?;
    let content = if holds_secret(&text) { Content::Hidden(Secret::new(text)) } else { Content::Plain(text) };
    Ok(file(CONFIG, 0o600, content))
}

fn file(path: &str, mode: u32, content: Content) -> FileWrite {
    FileWrite { path: path.into(), content, mode, owner: Owner::Root }
}

/// The Node object's name: Kubernetes wants it in lower case.
pub fn node_name(host: &Host) -> String {
    host.name.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_inventory_renders_every_template() {
        let inventories = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/inventories");
        let mut ran = 0;
        for path in std::fs::read_dir(inventories).unwrap().map(|entry| entry.unwrap().path()) {
            let inventory: Inventory = toml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
            for host in &inventory.hosts {
                files(&inventory, host).unwrap_or_else(|finding| panic!("{}: {}", path.display(), finding.what));
                ran += usize::from(inventory.registries.is_some());
            }
        }
        assert!(ran > 0, "no inventory has registries");
    }
}
