//! What an inventory that fits its types can still get wrong. A new lint is a function in this folder and its word in a list here.

mod acme;
mod charts;
mod databases;
mod domains;
mod env;
mod files;
mod firewall;
mod git;
mod hosts;
mod images;
mod jwt_keys;
mod k3s;
mod k3s_keys;
mod names;
mod nodes;
mod registries;
mod releases;
mod secrets;
mod sites;
mod sshd;
mod tls;
mod versions;

use super::problem::Flaws;
use super::tree::Spot;
use super::{Inventory, Site};

type Lint = fn(&Inventory, Spot<'_>, &mut Flaws);

/// Judged by the text alone.
const PURE: &[Lint] = &[
    hosts::lint,
    nodes::lint,
    versions::lint,
    k3s::lint,
    firewall::lint,
    sshd::lint,
    registries::lint,
    acme::lint,
    names::lint,
    jwt_keys::lint,
    images::lint,
    secrets::lint,
    databases::lint,
    releases::lint,
    sites::lint,
    tls::lint,
    domains::lint,
];

/// Judged by the operator's disk.
const DISK: &[Lint] = &[files::lint, charts::lint, env::lint];

/// Everything that the text alone can tell.
pub(super) fn lint(inventory: &Inventory, root: Spot<'_>) -> Flaws {
    run(PURE, inventory, root)
}

/// Everything that only the operator's disk can tell.
pub(super) fn lint_disk(inventory: &Inventory, root: Spot<'_>, flaws: &mut Flaws) {
    flaws.extend(run(DISK, inventory, root), |_| false);
}

fn run(lints: &[Lint], inventory: &Inventory, root: Spot<'_>) -> Flaws {
    let mut flaws = Flaws::default();
    for lint in lints {
        lint(inventory, root, &mut flaws);
    }
    flaws
}

/// Every site with its place; one of a playbook's stands where the playbook is used.
fn sites<'i, 't>(inventory: &'i Inventory, root: Spot<'t>) -> impl Iterator<Item = (&'i Site, Spot<'t>)> {
    let written = root.key("sites").items().count();
    inventory.sites.iter().enumerate().map(move |(index, site)| {
        let spot = if index < written { root.key("sites").item(index) } else { root.key("playbooks").key(&site.release) };
        (site, spot)
    })
}

/// The tables of a list with their places; those of playbooks stand where playbooks are used.
fn placed<'i, 't, T>(all: &'i [T], list: Spot<'t>, root: Spot<'t>) -> impl Iterator<Item = (&'i T, Spot<'t>)> {
    let written = list.items().count();
    let place = move |index| if index < written { list.item(index) } else { root.key("playbooks") };
    all.iter().enumerate().map(move |(index, one)| (one, place(index)))
}

/// Whether a finding in `section` may be only an echo of what does not fit the types there, or where it refers to.
pub(super) fn is_doubtful(section: Option<&str>, damaged: &[Option<String>]) -> bool {
    let refers: &[&str] = match section {
        Some("sites") => &["hosts", "versions", "acme", "releases"],
        Some("kubeconfig" | "k3s") => &["hosts", "k3s"],
        Some("sshd") => &["hosts"],
        Some("databases") => &["secrets", "jwt_keys"],
        Some("firewall") => &["hosts", "kubeconfig", "sites"],
        _ => &[],
    };
    damaged.iter().any(|broken| broken.as_deref().is_none_or(|broken| Some(broken) == section || refers.contains(&broken)))
}
