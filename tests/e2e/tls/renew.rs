//! A CA that refuses every seventh nonce, takes its time for a validation, remembers none, and whose certificates live for two minutes. Its site
//! stands beside the shop, behind the same default-deny policy. cert-manager asks for no less than an hour, and takes what the CA gives; so it is
//! the CA that makes them short, and cert-manager renews by its own clock.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::super::Context;
use super::super::flow::{bedplate, ended};
use super::super::visitor::{self, Visit};
use super::counted;
use crate::bench::Bench;
use crate::rig::{Acme, Record, usual};

const URL: &str = "https://moody.example/";
/// Until the first certificate is served: a self-check takes ten seconds, and each refused nonce one or two more.
const COMES: Duration = Duration::from_secs(150);
/// A certificate is renewed when 70 of a hundred parts are left of it, which is after 36 s.
const RENEWED: Duration = Duration::from_secs(150);
/// Visits that must see the new one.
const SEEN: usize = 10;

/// An issuer like the production one, and an Ingress for the same pods.
const SITE: &str = r#"set -eu
k3s kubectl get clusterissuer letsencrypt-production -o json | sed 's/"letsencrypt-production"/"moody"/; s/:14001/:14002/
s/letsencrypt-production-account/moody-account/; /"uid":/d; /"resourceVersion":/d' | k3s kubectl create -f -
k3s kubectl apply -f - <<'EOF'
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: moody
  namespace: shop
  annotations: {cert-manager.io/cluster-issuer: moody, cert-manager.io/renew-before-percentage: "70"}
spec:
  ingressClassName: traefik
  tls: [{hosts: [moody.example], secretName: moody-tls}]
  rules: [{host: moody.example, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {name: http}}}}]}}]
EOF
"#;

const CLEAR: &str = "k3s kubectl -n shop delete --ignore-not-found ingress moody
    k3s kubectl -n shop delete --ignore-not-found certificate moody-tls
    k3s kubectl -n shop delete --ignore-not-found secret moody-tls
    k3s kubectl delete --ignore-not-found clusterissuer moody
    k3s kubectl -n cert-manager delete --ignore-not-found secret moody-account";

/// Puts the site up.
pub fn site(bench: &Bench<'_>) -> Result<()> {
    bench.rig.moody()?;
    let mut records = usual();
    records.push(Record::A("moody.example".into(), bench.host.address.parse()?));
    bench.rig.records(&records)?;
    bench.look(SITE).map(drop)
}

/// The certificate comes, whatever the CA's mood.
pub fn moody(context: &Context) -> Result<()> {
    visits(context.moody()?, ("the moody CA's certificate", COMES), |visits| visits.last().is_some_and(Visit::is_well)).map(drop)
}

/// What was seen while a certificate was renewed by itself and ten runs had nothing to do.
pub struct Renewal {
    visits: Vec<Visit>,
    /// At the staging and the production CA, before the ten runs and after them.
    orders: [[usize; 2]; 2],
}

/// Lets both go on at once. Takes the site away.
pub fn renewal(bench: &Bench<'_>) -> Result<Renewal> {
    let seen = watched(bench);
    bench.look(CLEAR)?;
    bench.rig.records(&usual())?;
    seen
}

fn watched(bench: &Bench<'_>) -> Result<Renewal> {
    visits(bench, ("the moody CA's certificate", COMES), |visits| visits.last().is_some_and(Visit::is_well))?;
    let before = counted(bench)?;
    let runs = || (0..10).try_for_each(|_| ended(&bedplate(bench, &["bootstrap", "inventory.toml"])?, 0));
    let ((), mut seen) = visitor::during(bench, URL, &Acme::Moody.root(&bench.rig.place), runs)?;
    let orders = [before, counted(bench)?];
    let first = seen.first().map(|visit| visit.serial.clone()).context("nobody came")?;
    let newer = |visits: &[Visit]| visits.iter().filter(|visit| visit.is_well() && visit.serial != first).count();
    let before = newer(&seen);
    if before < SEEN {
        seen.extend(visits(bench, ("its renewal", RENEWED), |visits| before + newer(visits) >= SEEN)?);
    }
    Ok(Renewal { visits: seen, orders })
}

/// It is renewed by itself while a visitor looks, and no visit fails.
pub fn renew(context: &Context) -> Result<()> {
    let seen = &context.renewal()?.visits;
    let failed: Vec<&Visit> = seen.iter().filter(|visit| !visit.is_well()).collect();
    ensure!(failed.is_empty(), "{} of {} visits failed: {failed:?}", failed.len(), seen.len());
    Ok(())
}

/// A fresh bootstrap makes one staging and one production order for its certificate; ten more runs make none.
pub fn orders(context: &Context) -> Result<()> {
    let made = context.first()?.orders;
    ensure!(made == [1, 1], "the first bootstrap made {} orders at the staging CA and {} at the other", made[0], made[1]);
    let [before, after] = context.renewal()?.orders;
    ensure!(before == after, "orders before ten runs: {before:?}, after: {after:?}");
    Ok(())
}

fn visits(bench: &Bench<'_>, what: (&str, Duration), enough: impl FnMut(&[Visit]) -> bool) -> Result<Vec<Visit>> {
    visitor::until(bench, (URL, &Acme::Moody.root(&bench.rig.place)), what, enough)
}
