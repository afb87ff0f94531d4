//! A kubelet that makes room: what was pushed stays, whether a pod uses it or not.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::super::Context;
use super::super::flow::{bedplate, ended, served};
use super::archive::{Web, layer};
use super::{MB, whole};
use crate::bench::Bench;
use crate::run::until;

const INVENTORY: &str = "gc.toml";
/// Kubelet's own words for a disk that is full at any time (k8s.io/kubelet: config/v1beta1); 2 minutes is how old an image must be by default.
const FULL: &str = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nimageMinimumGCAge: 1s\n\
                    evictionHard: {imagefs.available: 99%, nodefs.available: 500Mi}\n";
/// Where k3s looks for more of it.
const DROP_IN: &str = "/var/lib/rancher/k3s/agent/etc/kubelet.conf.d/90-full.conf";
/// For k3s to start, and for its kubelet to look at the disk: every 10 s.
const ENOUGH: Duration = Duration::from_secs(90);

/// Of two images that no pod uses, pushed alike, the one that lost its pin goes, and no other. Takes the host away: pods are evicted.
pub fn gc(context: &Context) -> Result<()> {
    let bench = context.converged()?;
    let built = pushed(bench)?;
    bench.look("k3s ctr -n k8s.io images label docker.io/shop/spare:1 io.cri-containerd.pinned=")?;
    let mut before = pinned(bench)?;
    before.remove("docker.io/shop/spare:1");
    ensure!(before.contains("docker.io/shop/loose:1"), "{before:?}");

    bench.look(&format!("cat >{DROP_IN} <<'EOF'\n{FULL}EOF\nsystemctl restart k3s"))?;
    let gone = until("kubelet to collect the image without a pin", ENOUGH, || {
        Ok(bench.look("k3s crictl images -o json").is_ok_and(|listed| !listed.contains("docker.io/shop/spare:1")).then_some(()))
    });
    bench.look(&format!("rm {DROP_IN}; systemctl restart k3s"))?;
    gone?;
    until("k3s to answer", ENOUGH, || Ok(pinned(bench).is_ok().then_some(())))?;
    let after = pinned(bench)?;
    println!("{} pinned images before, {} after", before.len(), after.len());
    ensure!(before.is_subset(&after), "of {before:?} there are {after:?}");
    whole(bench, "docker.io/shop/loose:1", &built)?;
    // What was evicted stays in the list.
    let waiting = "k3s kubectl delete pods -A --field-selector status.phase=Failed >/dev/null
                   k3s kubectl get pods -A --no-headers | grep -v -e Running -e Completed || true";
    until("all pods to run again", ENOUGH, || Ok(bench.look(waiting)?.is_empty().then_some(())))
        .with_context(|| bench.look(waiting).unwrap_or_default())?;
    until("the shop to be served", ENOUGH, || Ok(served(bench).is_ok().then_some(())))
}

/// Pushes two images that no pod uses; the config's digest of the one called `loose`.
fn pushed(bench: &Bench<'_>) -> Result<String> {
    let web = Web::of(bench)?;
    let mut inventory = bench.project.inventory.clone();
    let images = inventory.get_mut("images").and_then(toml::Value::as_table_mut).context("the inventory has images")?;
    let mut id = String::new();
    for (seed, name) in [(31, "spare"), (32, "loose")] {
        let file = format!("dist/{name}.tar");
        id = web.build_as(bench, &file, &format!("shop/{name}:1"), &[layer(seed, MB as usize)])?.id;
        images.insert(name.into(), file.into());
    }
    fs::write(bench.project.path(INVENTORY), toml::to_string(&inventory)?)?;
    bench.project.save(&bench.rig.operator)?;
    ended(&bedplate(bench, &["images", "push", INVENTORY, "spare", "loose"])?, 0)?;
    Ok(id)
}

/// Names of images that bear a pin, as the CRI tells it.
fn pinned(bench: &Bench<'_>) -> Result<BTreeSet<String>> {
    let listed: Value = serde_json::from_str(&bench.look("k3s crictl images -o json")?)?;
    let images = listed["images"].as_array().context("crictl lists images")?.iter().filter(|image| image["pinned"] == true);
    let names = images.flat_map(|image| image["repoTags"].as_array().into_iter().flatten());
    Ok(names.filter_map(|name| name.as_str().map(str::to_owned)).collect())
}
