//! A world in lines that two runs can be compared by. What can't be the same is left out, and stands here: clocks, counts of revisions and
//! versions, and what is random by its nature, of which only the form is told.

use std::collections::BTreeMap;

use bedplate::model::{FileKind, LiveSecret};

use crate::fake::World;

/// Names to values.
pub fn state(world: &mut World) -> BTreeMap<String, String> {
    let mut lines = BTreeMap::new();
    let mut tell = |what: String, value: String| drop(lines.insert(what, value));
    for (id, host) in &world.hosts {
        for (path, file) in &host.files {
            let link = if let FileKind::Link(target) = &file.kind { format!(" -> {target}") } else { String::new() };
            tell(format!("{id} {path}"), format!("{:?} {:04o} {:?} {}{link}", file.kind, file.mode, file.owner, file.digest));
        }
        for (name, image) in &host.images {
            tell(format!("{id} image {name}"), format!("{image:?}"));
        }
        let read = host
            .files
            .iter()
            .filter(|(path, _)| at_start(path))
            .all(|(_, file)| host.active_since.is_some_and(|since| since > file.modified));
        let rules = host.rules.as_deref().map(String::from_utf8_lossy);
        tell(format!("{id} rules"), rules.unwrap_or_default().into_owned());
        let told =
            host.files.iter().filter(|(path, _)| path.ends_with(".service") && at_start(path)).all(|(_, file)| host.loaded > file.modified);
        let unit = format!(
            "enabled {}, running {}, has read its files: {read}, systemd has read it: {told}",
            host.enabled,
            host.active_since.is_some()
        );
        tell(format!("{id} unit"), unit);
    }
    for (object, body) in &world.api.objects {
        tell(object.to_string(), body.to_string());
    }
    for ((namespace, name), live) in &world.api.secrets {
        tell(format!("secret {namespace}/{name}"), secret(live));
    }
    for ((namespace, name), revisions) in &world.api.releases {
        if let Some(newest) = revisions.last() {
            tell(
                format!("release {namespace}/{name}"),
                format!("{} {} {} {}", newest.status, newest.chart_version, newest.chart_digest, newest.values),
            );
        }
    }
    let mut pins: Vec<String> = world.operator.pins.iter().map(|pin| pin.artifact.to_string()).collect();
    pins.sort();
    tell("pins".into(), pins.join(", "));
    let kubeconfig = world.operator.kubeconfig.as_ref().and_then(|text| text.expose_str()).unwrap_or_default();
    tell("kubeconfig".into(), kubeconfig.to_owned());
    lines
}

/// Whether k3s reads it when it starts, and then no more.
fn at_start(path: &str) -> bool {
    path == "/usr/local/bin/k3s"
        || path.ends_with("k3s/config.yaml")
        || path.ends_with("registries.yaml")
        || path.ends_with("k3s.service")
        || path.ends_with("k3s-agent.service")
}

fn secret(live: &LiveSecret) -> String {
    let random = |key: &str| key.ends_with(".pem") || key.starts_with("tls.") || key == "ca.crt";
    let data: Vec<String> = live
        .data
        .iter()
        .map(|(key, value)| if random(key) { key.clone() } else { format!("{key}={}", String::from_utf8_lossy(value.expose())) })
        .collect();
    let issuer = live.annotations.get("cert-manager.io/issuer-name");
    format!("{} {:?} {issuer:?} {}", live.kind, live.labels, data.join(", "))
}

/// Whether two states are the same.
///
/// # Errors
/// The lines that differ.
pub fn same(one: &BTreeMap<String, String>, other: &BTreeMap<String, String>) -> Result<(), String> {
    let names: std::collections::BTreeSet<_> = one.keys().chain(other.keys()).collect();
    let differing = names.into_iter().filter(|name| one.get(*name) != other.get(*name));
    let lines: Vec<String> = differing.map(|name| format!("\n  {name}: {:?}, and must be {:?}", other.get(name), one.get(name))).collect();
    if lines.is_empty() { Ok(()) } else { Err(lines.concat()) }
}
