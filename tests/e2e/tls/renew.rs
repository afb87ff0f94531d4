//! A CA that refuses a third of all nonces, takes its time for a validation, remembers none, and whose certificates live for two minutes. Its site
//! stands beside the shop, behind the same default-deny policy. cert-manager asks for no less than an hour, and takes what the CA gives; so it is
//! the CA that makes them short, and cert-manager renews by its own clock.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::super::Context;
use super::super::visitor::{self, Visit};
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

/// It is renewed by itself while a visitor looks, and no visit fails. Takes the site away.
pub fn renew(context: &Context) -> Result<()> {
    let bench = context.moody()?;
    let seen = visits(bench, ("the moody CA's certificate", COMES), |visits| visits.last().is_some_and(Visit::is_well))
        .and_then(|_| visits(bench, ("its renewal", RENEWED), renewed));
    bench.look(CLEAR)?;
    bench.rig.records(&usual())?;
    let seen = seen?;
    let failed: Vec<&Visit> = seen.iter().filter(|visit| !visit.is_well()).collect();
    ensure!(failed.is_empty(), "{} of {} visits failed: {failed:?}", failed.len(), seen.len());
    Ok(())
}

/// Another certificate than at the first visit is served, and has been for a while.
fn renewed(visits: &[Visit]) -> bool {
    visits.iter().filter(|visit| visit.is_well() && visit.serial != visits[0].serial).count() >= SEEN
}

fn visits(bench: &Bench<'_>, what: (&str, Duration), enough: impl FnMut(&[Visit]) -> bool) -> Result<Vec<Visit>> {
    visitor::until(bench, (URL, &Acme::Moody.root(&bench.rig.place)), what, enough)
}
