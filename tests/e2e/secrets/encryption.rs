//! What lies on the server's disk of Secrets, before and after k3s encrypts them.

use anyhow::{Context as _, Result, ensure};

use crate::bench::Bench;
use crate::e2e::Context;
use crate::e2e::canary::canary;
use crate::e2e::flow::{bedplate, ended, unchanged};

/// A cluster that never was asked to keeps Secrets in its datastore's file as they are. Once the inventory says so it is made to encrypt
/// them: what is written from then on can't be read there, and what was there is written anew.
pub fn encryption(context: &Context) -> Result<()> {
    let mut bench = Bench::fresh(context.rig, 2)?;
    reduce(&mut bench)?;
    let encrypted = told(&mut bench);
    bench.host.discard()?;
    encrypted
}

fn told(bench: &mut Bench<'_>) -> Result<()> {
    let (before, after) = (canary(), canary());
    flag(bench, None)?;
    ended(&bedplate(bench, &["bootstrap", "inventory.toml"])?, 0)?;
    verified(bench, "secrets lie in k3s' datastore as they are")?;
    make(bench, "before", &before)?;
    ensure!(lies(bench, &before)? > 0, "an unencrypted value is not found where it must lie: the search finds nothing");

    flag(bench, Some(true))?;
    let plan = bedplate(bench, &["plan", "inventory.toml"])?;
    ended(&plan, 2)?;
    ensure!(plan.stdout.contains("let k3s encrypt secrets from its next start on"), "{}", plan.stdout);
    ended(&bedplate(bench, &["bootstrap", "inventory.toml"])?, 0)?;
    verified(bench, "secrets are encrypted in k3s' datastore, by AES-CBC")?;
    make(bench, "after", &after)?;
    ensure!(lies(bench, &after)? == 0, "a value that was written afterwards lies in the datastore as it is");
    // Its newest record: `name`, five numbers and `value` stand side by side; what was there before is `old_value`, until it is compacted.
    let anew = r"cat /var/lib/rancher/k3s/server/db/state.db* | LC_ALL=C tr '\n\000' '  ' \
        | LC_ALL=C grep -aoE '/registry/secrets/default/before.{1,24}k8s:enc:aescbc:v1:aescbckey-' | wc -l";
    ensure!(bench.look(anew)?.trim() != "0", "what was there before was not written anew");
    for (name, value) in [("before", &before), ("after", &after)] {
        let read = format!("k3s kubectl get secret {name} -o jsonpath='{{.data.value}}' | base64 -d");
        ensure!(bench.look(&read)? == **value, "secret {name} can't be read any more");
    }
    let status = bench.look("k3s secrets-encrypt status")?;
    ensure!(status.contains("Encryption Status: Enabled\nCurrent Rotation Stage: reencrypt_finished"), "{status}");

    unchanged(bench)?;
    gone_on_with(bench)?;
    flag(bench, None)?;
    let refused = bedplate(bench, &["bootstrap", "inventory.toml"])?;
    ended(&refused, 1)?;
    ensure!(refused.stderr.contains("nobody could read them any more"), "{}", refused.stderr);
    Ok(())
}

/// k3s dies while it takes a new key; a run goes on with that. Then there is one key again, and all can be read.
fn gone_on_with(bench: &Bench<'_>) -> Result<()> {
    const KEYS: &str = "keys() { grep -o '\"name\":\"aescbckey' /var/lib/rancher/k3s/server/cred/encryption-config.json | wc -l; }";
    // Once it has both keys it waits, for up to a minute, until the API server has seen them.
    let shot = "k3s secrets-encrypt rotate-keys >/dev/null 2>&1 &
        n=0; until [ $(keys) = 2 ] || [ $n = 300 ]; do n=$((n+1)); sleep 0.1; done
        kill -KILL $(systemctl show -p MainPID --value k3s); wait; systemctl start k3s
        n=0; until k3s secrets-encrypt status | grep -q 'Stage: reencrypt_finished' || [ $n = 60 ]; do n=$((n+1)); sleep 1; done
        keys";
    ensure!(bench.look(&format!("{KEYS}\n{shot}"))?.trim() == "2", "k3s was not shot between two keys");
    let plan = bedplate(bench, &["plan", "inventory.toml"])?;
    ended(&plan, 2)?;
    ensure!(plan.stdout.contains("have k3s encrypt every secret anew with the key that it has"), "{}", plan.stdout);
    ended(&bedplate(bench, &["bootstrap", "inventory.toml"])?, 0)?;
    let status = bench.look(&format!("{KEYS}\nk3s secrets-encrypt status; k3s kubectl get secrets -A >/dev/null; echo keys: $(keys)"))?;
    ensure!(status.contains("Stage: reencrypt_finished") && status.ends_with("keys: 1\n"), "{status}");
    unchanged(bench)
}

/// k3s alone.
fn reduce(bench: &mut Bench<'_>) -> Result<()> {
    for table in ["images", "jwt_keys", "secrets", "releases", "sites", "acme"] {
        bench.project.inventory.remove(table).with_context(|| format!("the example has no {table}"))?;
    }
    Ok(())
}

fn flag(bench: &mut Bench<'_>, flag: Option<bool>) -> Result<()> {
    let k3s = bench.project.inventory.get_mut("k3s").and_then(toml::Value::as_table_mut).context("the example has [k3s]")?;
    k3s.remove("secrets-encryption");
    k3s.extend(flag.map(|flag| ("secrets-encryption".to_owned(), flag.into())));
    bench.project.save(&bench.rig.operator)
}

fn verified(bench: &Bench<'_>, fact: &str) -> Result<()> {
    let verify = bedplate(bench, &["verify", "inventory.toml"])?;
    ended(&verify, 0)?;
    ensure!(verify.stdout.contains(fact), "verify does not say: {fact}\n{}", verify.stdout);
    Ok(())
}

fn make(bench: &Bench<'_>, name: &str, value: &str) -> Result<()> {
    bench.look(&format!("k3s kubectl create secret generic {name} --from-literal=value={value}")).map(drop)
}

/// How often a value lies in the datastore's file and its log.
fn lies(bench: &Bench<'_>, value: &str) -> Result<usize> {
    let found = bench.look(&format!("cat /var/lib/rancher/k3s/server/db/state.db* | grep -aoF {value} | wc -l"))?;
    found.trim().parse().with_context(|| format!("it was found {found} times"))
}
