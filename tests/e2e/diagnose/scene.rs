//! The stuck sites, side by side: put up, told, cured, and taken away.

use std::collections::BTreeMap;
use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use anyhow::{Context as _, Result};
use toml::{Table, Value};

use super::causes::{ISSUERS, SITES, STAGING};
use super::diagnosed;
use crate::bench::Bench;
use crate::rig::{Record, Rig, usual};
use crate::run::until;

/// Beside the project's own.
pub const INVENTORY: &str = "stuck.toml";

/// Until every cause shows: cert-manager checks a challenge again and again, and what is younger than thirty is not told.
const SHOWS: Duration = Duration::from_secs(120);
/// Until all are issued once they are cured.
const COMES: Duration = Duration::from_secs(180);

/// What is said of each site.
pub struct Stuck {
    /// By the site's name.
    pub told: BTreeMap<String, String>,
}

impl Stuck {
    /// Puts all of them up, and waits until each is told.
    pub fn make(rig: &Rig, bench: &Bench<'_>) -> Result<Self> {
        rig.records(&records(false)?)?;
        inventory(rig, bench, &SITES.each_ref().map(|site| site.name))?;
        bench.look(ISSUERS)?;
        let all: String = SITES.iter().map(|site| manifests(site.name, site.issuer, site.beside)).collect();
        bench.look(&format!("k3s kubectl apply -f - <<'EOF'\n{all}EOF"))?;
        let mut last = String::new();
        let look = || -> Result<Option<BTreeMap<String, String>>> {
            last = diagnosed(bench)?.1;
            let told = by_site(&last);
            let all = SITES.iter().all(|site| told.get(site.name).is_some_and(|told| site.words.iter().all(|word| told.contains(word))));
            Ok(all.then_some(told))
        };
        // What is not said by then, each row says for itself.
        let told = until("all causes are told", SHOWS, look).unwrap_or_else(|_| by_site(&last));
        Ok(Self { told })
    }

    /// Cures all, and waits until nothing is stuck any more.
    pub fn cure(&self, rig: &Rig, bench: &Bench<'_>) -> Result<()> {
        rig.records(&records(true)?)?;
        for site in SITES.iter().filter(|site| !site.cure.is_empty()) {
            bench.look(site.cure).with_context(|| format!("curing {}", site.name))?;
        }
        let mut last = String::new();
        let issued = || -> Result<Option<()>> {
            let (code, told) = diagnosed(bench)?;
            last = told;
            let ready = "k3s kubectl get certificate -A -o jsonpath='{range .items[*]}{.status.conditions[?(@.type==\"Ready\")].status}{\"\\n\"}{end}'";
            Ok((code == Some(0) && !bench.look(ready)?.contains("False")).then_some(()))
        };
        until("all certificates come", COMES, issued).with_context(|| last)
    }
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
    bench.look(&script).map(drop)
}

/// DNS of all sites; of two it lies unless they are cured.
fn records(cured: bool) -> Result<Vec<Record>> {
    let here: Ipv4Addr = "203.0.113.10".parse()?;
    let mut records = usual();
    for site in &SITES {
        let address = if site.name == "elsewhere" && !cured { Ipv4Addr::new(203, 0, 113, 99) } else { here };
        records.push(Record::A(format!("{}.example", site.name), address));
    }
    if !cured {
        records.push(Record::Aaaa("six.example".into(), Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 7)));
    }
    Ok(records)
}

/// A namespace, what stands beside, and an Ingress that asks for a certificate.
pub fn manifests(name: &str, issuer: &str, beside: &str) -> String {
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

/// An inventory of these sites alone, each by a playbook of its own.
pub fn inventory(rig: &Rig, bench: &Bench<'_>, sites: &[&str]) -> Result<()> {
    let mut inventory = bench.project.inventory.clone();
    for table in ["images", "jwt_keys", "secrets", "releases", "sites"] {
        inventory.remove(table);
    }
    fs::create_dir_all(bench.project.path("playbooks"))?;
    let mut books = Table::new();
    for name in sites {
        let book = format!(
            "[[steps]]\nmanifest = '''\n{}'''\n\n[[steps]]\ncheck = {{ release = \"{name}\", domain = \"{name}.example\", certificate = \"{name}-tls\" }}\n",
            ingress(name, STAGING)
        );
        fs::write(bench.project.path(format!("playbooks/{name}.toml")), book)?;
        books.insert((*name).to_owned(), Value::Table(Table::new()));
    }
    inventory.insert("playbooks".into(), Value::Table(books));
    fs::write(bench.project.path(INVENTORY), toml::to_string(&inventory)?)?;
    rig.operator.own_all(&bench.project.folder)?;
    rig.operator.own(&bench.project.path("rig/sudo-password"), 0o600)?;
    rig.operator.own(&bench.project.path(".env"), 0o600)
}

/// What is printed, by site.
pub fn by_site(text: &str) -> BTreeMap<String, String> {
    let parts = text.split("\n\n").filter_map(|part| Some((part.split_once(".example")?.0.trim().to_owned(), part.to_owned())));
    parts.collect()
}

/// One more site beside the others, asked for while something is amiss with port 80: its cause is told, and afterwards its certificate comes.
pub fn alone(rig: &Rig, bench: &Bench<'_>, name: &str, amiss: (&str, &str), words: &[&str]) -> Result<()> {
    let mut records = usual();
    records.push(Record::A(format!("{name}.example"), "203.0.113.10".parse()?));
    rig.records(&records)?;
    inventory(rig, bench, &[name])?;
    bench.look(amiss.0)?;
    let mut last = String::new();
    let told = bench.look(&format!("k3s kubectl apply -f - <<'EOF'\n{}EOF", manifests(name, STAGING, ""))).and_then(|_| {
        until("the cause is told", SHOWS, || {
            last = diagnosed(bench)?.1;
            Ok(words.iter().all(|word| last.contains(word)).then_some(()))
        })
    });
    bench.look(amiss.1)?;
    let came = told.with_context(|| last).and_then(|()| {
        let cured = format!("k3s kubectl -n {name} wait --for=condition=Ready --timeout=90s certificate {name}-tls");
        bench.look(&cured).map(drop)
    });
    bench.look(&format!("k3s kubectl delete namespace {name}"))?;
    rig.records(&usual())?;
    came
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
