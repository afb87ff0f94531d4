//! The files that make a host k3s' server or agent, as this inventory wants them.

use serde_json::json;

use super::config;
use crate::inventory::{Host, Inventory, Role};
use crate::model::{AGENT_TOKEN, Content, FileWrite, Finding, Owner, Secret};
use crate::steps::hidden::holds_secret;
use crate::template::render;

/// k3s itself.
pub const BINARY: &str = "/usr/local/bin/k3s";
/// Read by k3s at start.
pub const CONFIG: &str = "/etc/rancher/k3s/config.yaml";
/// Read by k3s at start.
pub const REGISTRIES: &str = "/etc/rancher/k3s/registries.yaml";

/// systemd's name of k3s, as the official installer names it too (contract §1.4).
pub const fn unit(role: Role) -> &'static str {
    match role {
        Role::Server => "k3s",
        Role::Agent => "k3s-agent",
    }
}

/// Ours, not the installer's.
pub const fn unit_file(role: Role) -> &'static str {
    match role {
        Role::Server => "/etc/systemd/system/k3s.service",
        Role::Agent => "/etc/systemd/system/k3s-agent.service",
    }
}

/// Every file, rendered, but for the token.
///
/// # Errors
/// A template is broken: a bug of bedplate.
pub fn files(inventory: &Inventory, host: &Host) -> Result<Vec<FileWrite>, Finding> {
    let mut files = vec![config(inventory, host)?];
    if let Some(registries) = &inventory.registries {
        let text = render("registries.yaml", &json!({ "mirrors": registries.mirrors, "configs": registries.configs }))?;
        files.push(file(REGISTRIES, 0o600, Content::Hidden(Secret::new(text))));
    }
    let command = match host.role {
        Role::Server => "server",
        Role::Agent => "agent",
    };
    let text = render("k3s.service", &json!({ "binary": BINARY, "unit": unit(host.role), "command": command }))?;
    files.push(file(unit_file(host.role), 0o644, Content::Plain(text)));
    Ok(files)
}

fn config(inventory: &Inventory, host: &Host) -> Result<FileWrite, Finding> {
    let text = render("config.yaml", &json!({ "keys": config::keys(inventory, host) }))?;
    let content = if holds_secret(&text) { Content::Hidden(Secret::new(text)) } else { Content::Plain(text) };
    Ok(file(CONFIG, 0o600, content))
}

fn file(path: &str, mode: u32, content: Content) -> FileWrite {
    FileWrite { path: path.into(), content, mode, owner: Owner::Root }
}

/// How an agent joins; only root may read it.
pub fn token(full: Secret) -> FileWrite {
    file(AGENT_TOKEN, 0o600, Content::Hidden(full))
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
