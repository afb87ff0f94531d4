//! The stuck sites, side by side: put up, told, cured, and taken away.

use std::collections::BTreeMap;
use std::fs;
use std::net::Ipv6Addr;
use std::time::Duration;

use anyhow::{Context as _, Result};
use toml::{Table, Value};

use super::causes::{ADDRESSES, ISSUERS, NO_ADDRESSES, SITES, STAGING, Site};
use crate::bench::Bench;
use crate::e2e::flow::bedplate;
use crate::rig::{Record, Rig, usual};
use crate::run::until;

/// Until every cause shows: cert-manager checks a challenge again and again, and what is younger than thirty is not told.
const SHOWS: Duration = Duration::from_secs(120);
/// Until all are issued once they are cured.
const COMES: Duration = Duration::from_secs(180);

#[derive(Clone, Copy, PartialEq)]
enum Cured {
    Yes,
    No,
}

/// What is said of each site.
pub struct Stuck {
    /// By the site's name.
    pub told: BTreeMap<String, String>,
}

/// Puts all of them up.
pub fn stand(rig: &Rig, bench: &Bench<'_>) -> Result<()> {
    rig.records(&records()?)?;
    addresses().into_iter().try_for_each(|address| inventory(rig, bench, address))?;
    bench.look(ADDRESSES)?;
    bench.look(ISSUERS)?;
    let all: String = SITES.iter().map(manifests).collect();
    bench.look(&format!("k3s kubectl apply -f - <<'EOF'\n{all}EOF")).map(drop)
}

impl Stuck {
    /// Waits until each of those that stand is told.
    pub fn heard(bench: &Bench<'_>) -> Result<Self> {
        let mut last = BTreeMap::new();
        let look = || -> Result<Option<()>> {
            last = by_site(&diagnosed(bench)?.1);
            let told = |site: &Site| last.get(site.name).is_some_and(|told| site.words.iter().all(|word| told.contains(word)));
            Ok(SITES.iter().all(told).then_some(()))
        };
        // What is not said by then, each row says for itself.
        let _ = until("all causes are told", SHOWS, look);
        Ok(Self { told: last })
    }

    /// Cures all, and waits until nothing is stuck any more.
    pub fn cure(&self, rig: &Rig, bench: &Bench<'_>) -> Result<()> {
        rig.records(&dns(Cured::Yes)?)?;
        for site in SITES.iter().filter(|site| !site.cure.is_empty()) {
            bench.look(site.cure).with_context(|| format!("curing {}", site.name))?;
        }
        let mut last = String::new();
        let issued = || -> Result<Option<()>> {
            let (well, told) = diagnosed(bench)?;
            last = told;
            let ready = "k3s kubectl get certificate -A -o jsonpath='{range .items[*]}{.status.conditions[?(@.type==\"Ready\")].status}{\"\\n\"}{end}'";
            Ok((well && !bench.look(ready)?.contains("False")).then_some(()))
        };
        until("all certificates come", COMES, issued).with_context(|| last)
    }
}

/// The host's public addresses.
fn addresses() -> Vec<&'static str> {
    let mut addresses = SITES.each_ref().map(|site| site.address).to_vec();
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

/// Whether `diagnose` finds nothing amiss with the sites of any address, and what it says.
fn diagnosed(bench: &Bench<'_>) -> Result<(bool, String)> {
    let mut all = (true, String::new());
    for address in addresses() {
        let ended = bedplate(bench, &["diagnose", &file(address)])?;
        all.0 &= ended.status.is_some_and(|status| status.success());
        all.1 += &ended.stdout;
        all.1.push('\n');
    }
    Ok(all)
}

/// Takes all of it away again.
pub fn clear(rig: &Rig, bench: &Bench<'_>) -> Result<()> {
    rig.records(&usual())?;
    let names = SITES.each_ref().map(|site| site.name).join(" ");
    let script = format!(
        "k3s kubectl delete --ignore-not-found validatingwebhookconfiguration away
         k3s kubectl delete --ignore-not-found clusterissuer other-class nobody-home no-address
         k3s kubectl delete --ignore-not-found namespace {names}
         k3s kubectl -n cert-manager delete --ignore-not-found secret nobody-home-account no-address-account"
    );
    bench.look(&format!("{script}\n{NO_ADDRESSES}")).map(drop)
}

/// The usual DNS and that of all sites that are stuck.
pub fn records() -> Result<Vec<Record>> {
    dns(Cured::No)
}

/// Of two it lies unless they are cured.
fn dns(cured: Cured) -> Result<Vec<Record>> {
    let mut records = usual();
    for site in &SITES {
        let address = if site.name == "elsewhere" && cured == Cured::No { "203.0.113.99" } else { site.address };
        records.push(Record::A(format!("{}.example", site.name), address.parse()?));
    }
    if cured == Cured::No {
        records.push(Record::Aaaa("six.example".into(), Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 7)));
    }
    Ok(records)
}

/// A namespace, what stands beside, and an Ingress that asks for a certificate.
fn manifests(Site { name, issuer, beside, .. }: &Site) -> String {
    format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}\n---\n{beside}---\n{}---\n", ingress(name, issuer))
}

fn ingress(name: &str, issuer: &str) -> String {
    format!(
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\n\
         metadata: {{name: {name}, namespace: {name}, annotations: {{cert-manager.io/cluster-issuer: {issuer}}}}}\n\
         spec:\n  ingressClassName: traefik\n  tls: [{{hosts: [{name}.example], secretName: {name}-tls}}]\n  \
         rules: [{{host: {name}.example, http: {{paths: [{{path: /, pathType: Prefix, backend: {{service: {{name: none, port: {{number: 80}}}}}}}}]}}}}]\n"
    )
}

/// The inventory of an address, beside the project's own.
fn file(address: &str) -> String {
    format!("stuck-{address}.toml")
}

/// An inventory of the sites at that address alone, each by a playbook of its own.
fn inventory(rig: &Rig, bench: &Bench<'_>, address: &str) -> Result<()> {
    let mut inventory = bench.project.inventory.clone();
    for table in ["images", "jwt_keys", "secrets", "releases", "sites"] {
        inventory.remove(table);
    }
    fs::create_dir_all(bench.project.path("playbooks"))?;
    let mut books = Table::new();
    for Site { name, .. } in SITES.iter().filter(|site| site.address == address) {
        let book = format!(
            "[[steps]]\nmanifest = '''\n{}'''\n\n[[steps]]\ncheck = {{ release = \"{name}\", domain = \"{name}.example\", certificate = \"{name}-tls\" }}\n",
            ingress(name, STAGING)
        );
        fs::write(bench.project.path(format!("playbooks/{name}.toml")), book)?;
        books.insert((*name).to_owned(), Value::Table(Table::new()));
    }
    inventory.insert("playbooks".into(), Value::Table(books));
    let host = inventory.get_mut("hosts").and_then(|hosts| hosts.get_mut(0)).and_then(Value::as_table_mut);
    host.context("the project has a host")?.insert("public_ip".into(), address.into());
    fs::write(bench.project.path(file(address)), toml::to_string(&inventory)?)?;
    rig.operator.own_all(&bench.project.folder)?;
    rig.operator.own(&bench.project.path("rig/sudo-password"), 0o600)?;
    rig.operator.own(&bench.project.path(".env"), 0o600)
}

/// What is printed, by site.
pub fn by_site(text: &str) -> BTreeMap<String, String> {
    let parts = text.split("\n\n").filter_map(|part| Some((part.split_once(".example")?.0.trim().to_owned(), part.to_owned())));
    parts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_told_apart_by_site() {
        let told = by_site("shut.example: stuck\n  a\n    cure: b\n\nsix.example: nothing is stuck\n");
        assert!(told["shut"].ends_with("cure: b") && told["six"].contains("nothing"), "{told:?}");
    }
}
