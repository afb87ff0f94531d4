//! Policies judged by `verify`, and tried by `verify --probe`, on the site that is served: nothing is ordered for it, and nothing stays.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::super::Context;
use super::super::flow::{bedplate, ended, served};
use super::{BEGUN, LEFT, OPEN, SHUT, asked, freed};
use crate::bench::Bench;
use crate::run::until;

/// Solvers get in from nowhere; by another manager our rule lets in to the wrong port.
const ALTERED: &str = r#"k3s kubectl apply -f - <<'EOF'
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: default-deny, namespace: shop}
spec: {podSelector: {matchLabels: {acme.cert-manager.io/http01-solver: "true"}}, policyTypes: [Ingress]}
EOF
k3s kubectl -n shop patch networkpolicy bedplate-acme-solver --type=json -p '[{"op":"replace","path":"/spec/ingress/0/ports/0/port","value":80}]'"#;
const CURED: &str = "k3s kubectl -n shop delete --ignore-not-found networkpolicy default-deny";
/// cert-manager gets to DNS and the API server, and nowhere else.
const LOCKED: &str = "k3s kubectl apply -f - <<'EOF'
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: locked, namespace: cert-manager}
spec: {podSelector: {}, policyTypes: [Egress], egress: [{ports: [{protocol: UDP, port: 53}, {protocol: TCP, port: 6443}]}]}
EOF";
const UNLOCKED: &str = "k3s kubectl -n cert-manager delete --ignore-not-found networkpolicy locked";

/// What keeps challenges out is named without a try; a try says the same, orders nothing and leaves nothing, shot or not.
pub fn verify(context: &Context) -> Result<()> {
    let bench = context.converged()?;
    let before = asked(bench)?;
    let tried = judged(bench).and_then(|()| tries(bench));
    bench.look(&format!("{CURED}\n{UNLOCKED}"))?;
    tried?;
    ensure!(asked(bench)? == before, "orders before: {before:?}, after: {:?}", asked(bench)?);
    served(bench)
}

fn judged(bench: &Bench<'_>) -> Result<()> {
    bench.look(ALTERED)?;
    says(
        bench,
        &["verify"],
        &["apply networkpolicy shop/bedplate-acme-solver", "networkpolicy shop/default-deny", "keep Traefik of kube-system from"],
    )?;
    ended(&bedplate(bench, &["bootstrap", "inventory.toml"])?, 0)?;
    ended(&bedplate(bench, &["verify", "inventory.toml"])?, 0)?;
    bench.look(LOCKED)?;
    says(bench, &["verify"], &["networkpolicy cert-manager/locked keeps cert-manager from", "(TCP 80)"])?;
    bench.look(UNLOCKED).map(drop)
}

/// Traefik may not go to solvers: a try, which has patience, says no more than a look, and orders nothing.
pub fn barred(bench: &Bench<'_>) -> Result<()> {
    let before = asked(bench)?;
    bench.look(SHUT)?;
    let words = ["networkpolicy kube-system/no-solvers keeps Traefik from", "Traefik answers 502 for shop.example"];
    let said = says(bench, &["verify", "--probe"], &words);
    bench.look(OPEN)?;
    said?;
    ensure!(asked(bench)? == before, "orders before: {before:?}, after: {:?}", asked(bench)?);
    gone(bench)
}

fn tries(bench: &Bench<'_>) -> Result<()> {
    let well = bedplate(bench, &["verify", "--probe", "inventory.toml"])?;
    ended(&well, 0)?;
    ensure!(well.stdout.lines().any(|line| line.contains("probe")), "the probe is not told:\n{}", well.stdout);
    gone(bench)?;
    let mut run = bench
        .bedplate(&["verify", "--probe", "inventory.toml"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let up = until("a responder", BEGUN, || {
        Ok((!bench.look("k3s kubectl -n shop get jobs -o name -l bedplate.dev/probe=challenge")?.is_empty()).then_some(()))
    });
    run.kill()?;
    run.wait()?;
    up?;
    freed(bench)?;
    says(bench, &["verify"], &["delete job shop/bedplate-probe-"])?;
    ended(&bedplate(bench, &["verify", "--probe", "inventory.toml"])?, 0)?;
    gone(bench)
}

/// It ends with 1, and says these words.
fn says(bench: &Bench<'_>, command: &[&str], words: &[&str]) -> Result<()> {
    let run = bedplate(bench, &[command, &["inventory.toml"]].concat())?;
    ended(&run, 1)?;
    for word in words {
        ensure!(run.stdout.contains(word) || run.stderr.contains(word), "{word:?} is not said:\n{}\n{}", run.stdout, run.stderr);
    }
    Ok(())
}

fn gone(bench: &Bench<'_>) -> Result<()> {
    until("what was put up to be gone", Duration::from_secs(45), || Ok(bench.look(LEFT)?.trim().is_empty().then_some(())))
}
