//! What left the inventory is told, and removed only when that is allowed.

use std::fs;

use anyhow::{Result, ensure};
use toml::{Table, Value};

use super::Context;
use super::flow::{bedplate, ended, served};
use crate::bench::Bench;

/// What one inventory has beside the other.
const MORE: &str = r#"
[[secrets]]
name = "left"
namespace = "shop"
public = { COLOUR = "red" }

[[jwt_keys]]
secret = "left-keys"
namespace = "shop"

[[releases]]
name = "left"
namespace = "shop"
chart = "./left"
"#;

/// An issuer under a name of another inventory, and what only looks like ours: helm's own label, a release of the user's.
const BESIDE: &str = r#"set -eu
k3s kubectl get clusterissuer letsencrypt-staging -o json \
  | sed 's/"letsencrypt-staging"/"letsencrypt-left"/; s/letsencrypt-staging-account/letsencrypt-left-account/; /"uid":/d; /"resourceVersion":/d' \
  | k3s kubectl create -f -
k3s kubectl -n shop create secret generic alike --from-literal=a=b
k3s kubectl -n shop label secret alike app.kubernetes.io/managed-by=Helm
"#;

/// How each leftover is told.
const TOLD: [&str; 4] = [
    "release shop/left left the inventory",
    "clusterissuer letsencrypt-left left the inventory",
    "the key pair in secret shop/left-keys left the inventory",
    "secret shop/left left the inventory",
];

/// One inventory makes a Secret, a key pair and a release; another lacks them. Nothing is removed without `--prune`, nothing unasked, and
/// nothing but these four with it.
pub fn prune(context: &Context) -> Result<()> {
    let bench = context.converged()?;
    let kept = objects(bench)?;
    make(bench)?;
    let all = objects(bench)?;

    for (arguments, code) in
        [(&["plan", "inventory.toml"][..], 0), (&["verify", "inventory.toml"], 0), (&["bootstrap", "inventory.toml"], 0)]
    {
        let looked = bedplate(bench, arguments)?;
        ended(&looked, code)?;
        for told in TOLD {
            ensure!(looked.stdout.contains(told), "{arguments:?} doesn't say {told:?}:\n{}", looked.stdout);
        }
    }
    let refused = bedplate(bench, &["bootstrap", "--prune", "inventory.toml"])?;
    ended(&refused, 64)?;
    ensure!(refused.stderr.contains("there is no terminal"), "{}", refused.stderr);
    let plan = bedplate(bench, &["plan", "--prune", "inventory.toml"])?;
    ended(&plan, 2)?;
    ensure!(plan.stdout.contains("prune: act"), "{}", plan.stdout);
    ensure!(objects(bench)? == all, "it was touched\nbefore:\n{all}\nafter:\n{}", objects(bench)?);

    ended(&bedplate(bench, &["bootstrap", "--prune", "--yes", "inventory.toml"])?, 0)?;
    bench.look("k3s kubectl -n shop delete secret alike")?;
    ensure!(objects(bench)? == kept, "not as it was\nbefore:\n{kept}\nafter:\n{}", objects(bench)?);
    let plan = bedplate(bench, &["plan", "inventory.toml"])?;
    ended(&plan, 0)?;
    ensure!(!plan.stdout.contains("left the inventory"), "{}", plan.stdout);
    served(bench)
}

/// Converges on the inventory that has more.
fn make(bench: &Bench<'_>) -> Result<()> {
    let chart = bench.project.path("left");
    fs::create_dir_all(chart.join("templates"))?;
    fs::write(chart.join("Chart.yaml"), "apiVersion: v2\nname: left\nversion: 1.0.0\n")?;
    fs::write(chart.join("values.yaml"), "{}\n")?;
    fs::write(chart.join("templates/left.yaml"), "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: left }\n")?;
    let mut inventory = bench.project.inventory.clone();
    for (key, more) in MORE.parse::<Table>()? {
        if let (Some(Value::Array(tables)), Value::Array(more)) = (inventory.get_mut(&key), more) {
            tables.extend(more);
        }
    }
    fs::write(bench.project.path("more.toml"), toml::to_string(&inventory)?)?;
    bench.project.save(&bench.rig.operator)?;
    ended(&bedplate(bench, &["bootstrap", "more.toml"])?, 0)?;
    bench.look(BESIDE).map(drop)
}

/// Everything of the kinds that are pruned, by identity; a release is its Secrets.
fn objects(bench: &Bench<'_>) -> Result<String> {
    bench.look(
        "k3s kubectl get secrets,clusterissuers,networkpolicies,namespaces,configmaps -A --no-headers \
         -o custom-columns=KIND:.kind,NS:.metadata.namespace,NAME:.metadata.name,UID:.metadata.uid | grep -v letsencrypt-left-account | sort",
    )
}
