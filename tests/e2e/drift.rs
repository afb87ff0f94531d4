//! Drift, one at a time: `plan` names it and exits 2, `bootstrap` repairs it, and then `plan` has nothing left to say.

use anyhow::{Context as _, Result, ensure};

use super::Context;
use super::flow::{bedplate, ended, served};
use super::matrix::pending;
use crate::bench::Bench;
use crate::rig::Acme;

/// Makes the drift, and demands that `plan` names `step`, that `bootstrap` repairs it, and that `plan` has nothing left to say.
fn repaired(context: &Context<'_>, script: &str, step: &str, proof: &str) -> Result<()> {
    let bench = context.converged()?;
    bench.look(script)?;
    named(bench, step)?;
    ended(&bedplate(bench, &["bootstrap", "inventory.toml"])?, 0)?;
    ended(&bedplate(bench, &["plan", "inventory.toml"])?, 0)?;
    bench.look(proof).with_context(|| format!("bootstrap ended well, yet this is not so: {proof}"))?;
    served(bench)
}

fn named(bench: &Bench<'_>, step: &str) -> Result<()> {
    let plan = bedplate(bench, &["plan", "inventory.toml"])?;
    ended(&plan, 2)?;
    ensure!(
        plan.stdout.lines().any(|line| line.trim_start().starts_with(&format!("{step}: act"))),
        "plan doesn't name {step}:\n{}",
        plan.stdout
    );
    Ok(())
}

/// One byte more in the binary on disk; the running process is the old one.
pub fn binary(context: &Context) -> Result<()> {
    let script =
        "cp /usr/local/bin/k3s /usr/local/bin/k3s.new && printf x >>/usr/local/bin/k3s.new && mv /usr/local/bin/k3s.new /usr/local/bin/k3s";
    repaired(context, script, "k3s", "k3s --version && systemctl is-active k3s")
}

/// A line more in config.yaml.
pub fn config(context: &Context) -> Result<()> {
    let proof = "! grep -q by-hand /etc/rancher/k3s/config.yaml";
    repaired(context, "echo 'node-label: [by-hand=yes]' >>/etc/rancher/k3s/config.yaml", "k3s", proof)
}

/// Stopped and disabled.
pub fn stopped(context: &Context) -> Result<()> {
    repaired(context, "systemctl disable --now k3s", "k3s", "systemctl is-enabled k3s && systemctl is-active k3s")
}

/// The login user's kubeconfig readable by everybody.
pub fn kubeconfig(context: &Context) -> Result<()> {
    let proof = "test \"$(stat -c '%a %U' /home/appuser/.kube/config)\" = '600 appuser'";
    repaired(context, "chmod 644 /home/appuser/.kube/config", "kubeconfig", proof)
}

/// A key added to the application's Secret.
pub fn key_added(context: &Context) -> Result<()> {
    let patch = r#"k3s kubectl -n shop patch secret shop-secrets --type=merge -p '{"data":{"DATABASE_URL":"eA=="}}'"#;
    let proof = "test \"$(k3s kubectl -n shop get secret shop-secrets -o go-template='{{len .data}}')\" = 7";
    repaired(context, patch, "secret/shop/shop-secrets", proof)
}

/// A key removed from it.
pub fn key_removed(context: &Context) -> Result<()> {
    let patch = r#"k3s kubectl -n shop patch secret shop-secrets --type=json -p '[{"op":"remove","path":"/data/EMAIL_FROM"}]'"#;
    let proof = "test \"$(k3s kubectl -n shop get secret shop-secrets -o go-template='{{len .data}}')\" = 7";
    repaired(context, patch, "secret/shop/shop-secrets", proof)
}

/// The rule that lets challenges through.
pub fn solver_policy(context: &Context) -> Result<()> {
    let get = "k3s kubectl -n shop get networkpolicy bedplate-acme-solver";
    repaired(context, "k3s kubectl -n shop delete networkpolicy bedplate-acme-solver", "solver-policy", get)
}

/// An image gone from containerd.
pub fn image(context: &Context) -> Result<()> {
    let proof = "k3s crictl images -o json | grep -q docker.io/shop/web:1.0.0";
    repaired(context, "k3s ctr images rm docker.io/shop/web:1.0.0", "images", proof)
}

/// An issuer that points elsewhere.
pub fn issuer(context: &Context) -> Result<()> {
    let patch = r#"k3s kubectl patch clusterissuer letsencrypt-staging --type=merge -p '{"spec":{"acme":{"email":"else@shop.example"}}}'"#;
    let proof = "test \"$(k3s kubectl get clusterissuer letsencrypt-staging -o jsonpath='{.spec.acme.email}')\" = ops@shop.example";
    repaired(context, patch, "issuers", proof)
}

/// A workload scaled by hand that no autoscaler owns.
pub fn scaled(context: &Context) -> Result<()> {
    let proof = "test \"$(k3s kubectl -n shop get deployment auth -o jsonpath='{.spec.replicas}')\" = 1";
    repaired(context, "k3s kubectl -n shop scale deployment auth --replicas=2", "release/shop", proof)
}

/// A colleague's helm: what it made is made anew, though it carries our label over; what it may be at is left to it, until it must be dead.
pub fn colleague(context: &Context) -> Result<()> {
    let helm = "KUBECONFIG=/etc/rancher/k3s/k3s.yaml helm";
    let newest = "k3s kubectl -n shop get secret -l owner=helm,name=shop,status=deployed";
    let rolled_back = format!("{helm} rollback shop $({newest} -o jsonpath='{{.items[0].metadata.labels.version}}') -n shop");
    let made = format!("{newest} -o jsonpath='{{.items[0].metadata.labels.bedplate\\.dev/chart}} v{{.items[0].metadata.labels.version}}'");
    repaired(context, &rolled_back, "release/shop", &format!("{made} | grep -E '\\.([0-9]+) v\\1$'"))?;

    let bench = context.converged()?;
    bench.look(&pending("$chart"))?;
    let plan = bedplate(bench, &["plan", "inventory.toml"])?;
    ended(&plan, 2)?;
    ensure!(plan.stdout.contains("helm is done with revision") && !plan.stdout.contains("drop the pending"), "{}", plan.stdout);
    let aged = "k3s kubectl -n shop label --overwrite secret -l owner=helm,name=shop,status=pending-upgrade createdAt=1 modifiedAt=1";
    repaired(context, aged, "release/shop", &format!("! {helm} status shop -n shop | grep -i pending"))
}

/// The release gone: it comes back on production, with the certificate that was left behind.
pub fn uninstalled(context: &Context) -> Result<()> {
    let bench = context.converged()?;
    let before = (orders(bench, Acme::Staging)?, orders(bench, Acme::Production)?);
    let uninstall = "KUBECONFIG=/etc/rancher/k3s/k3s.yaml helm uninstall shop -n shop --wait";
    repaired(context, uninstall, "release/shop", "k3s kubectl -n shop get ingress")?;
    let after = (orders(bench, Acme::Staging)?, orders(bench, Acme::Production)?);
    ensure!(before == after, "orders before: {before:?}, after: {after:?}");
    Ok(())
}

/// The TLS Secret gone: cert-manager makes it anew by itself, and nothing goes back to staging.
pub fn tls_secret(context: &Context) -> Result<()> {
    let bench = context.converged()?;
    let before = (orders(bench, Acme::Staging)?, orders(bench, Acme::Production)?);
    bench.look("k3s kubectl -n shop delete secret shop-tls")?;
    ended(&bedplate(bench, &["bootstrap", "inventory.toml"])?, 0)?;
    ended(&bedplate(bench, &["plan", "inventory.toml"])?, 0)?;
    ensure!(orders(bench, Acme::Staging)? == before.0, "a staging order was made for a live site");
    ensure!(orders(bench, Acme::Production)? > before.1, "nothing was issued: the Secret can't have been gone");
    served(bench)
}

/// How many orders a CA took, by its own log.
pub fn orders(bench: &Bench<'_>, authority: Acme) -> Result<usize> {
    let log = bench.rig.place.folder("logs")?.join(format!("pebble-{}", authority.name()));
    Ok(std::fs::read_to_string(log)?.lines().filter(|line| line.contains("Added order")).count())
}
