//! What a host is, and what runs there.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::cases::{Case, Needs};
use crate::bench::Bench;

/// Files with mode, owner and content; units; versions; images. What is left of an interrupted run shows here as well.
const HOST: &str = r"set -e
    roots='/etc/rancher /etc/systemd/system /etc/profile.d /usr/local /home /root /var/log/bedplate'
    find $roots -path '*cache' -prune -o -printf '%p %y %m %U:%G %l\n'
    find $roots -path '*cache' -prune -o -type f ! -path '/var/log/*' -exec sha256sum {} +
    find / -xdev -name '.bedplate-*'
    ls -A /run/bedplate 2>/dev/null || true
    nft -s list table inet bedplate 2>/dev/null || true
    find /etc/bedplate -type f -exec sha256sum {} + 2>/dev/null || true
    find /etc/ssh/sshd_config.d /etc/tmpfiles.d -type f -exec sha256sum {} +
    sshd -T | grep -E '^(passwordauthentication|kbdinteractiveauthentication|permitrootlogin) '
    systemctl show k3s -p ActiveState -p UnitFileState -p NeedDaemonReload
    k3s --version
    helm version --short
    k3s ctr images ls | awk '{ print $1, $2, $3, $NF }'
    KUBECONFIG=/etc/rancher/k3s/k3s.yaml helm list -A --no-headers -o json | tr '{' '\n' | sed 's/.revision.:[^,]*,//; s/.updated.:[^,]*,//'";
/// Objects of every host, and of one with a site.
const KINDS: &str = "namespaces,nodes,secrets,configmaps,serviceaccounts,services,deployments,daemonsets,ingresses,networkpolicies";
const SITE_KINDS: &str = ",poddisruptionbudgets,horizontalpodautoscalers,clusterissuers,certificates";
/// What the API server and controllers keep in objects for themselves.
const VOLATILE: [&str; 4] = ["/metadata/resourceVersion", "/metadata/generation", "/metadata/managedFields", "/metadata/creationTimestamp"];
/// Annotations that count changes.
const COUNTED: [&str; 2] = ["deployment.kubernetes.io/revision", "bedplate.dev/revision"];
/// Begins the annotations by which pods were made anew when something changed: a release that is installed anew has none.
const TOLD: &str = "revision.bedplate.dev/";

/// What a run must bring back, a line a thing.
pub struct State(BTreeSet<String>);

impl State {
    /// The host's, the cluster's and the operator's side, without what the case makes anew.
    pub fn of(bench: &Bench<'_>, case: &Case) -> Result<Self> {
        let mut lines: BTreeSet<String> = bench.look(HOST)?.lines().map(str::to_owned).collect();
        lines.extend(objects(bench, case)?);
        lines.extend(operator(bench)?);
        Ok(Self(lines))
    }

    /// Demands that all is as it was then.
    pub fn same(&self, bench: &Bench<'_>, case: &Case) -> Result<()> {
        let now = Self::of(bench, case)?;
        let only = |sign: &str, these: &Self, those: &Self| {
            these.0.difference(&those.0).fold(String::new(), |text, line| text + sign + line.get(..2000).unwrap_or(line) + "\n")
        };
        let differences = only("- ", self, &now) + &only("+ ", &now, self);
        ensure!(differences.is_empty(), "it is not as it was:\n{differences}");
        Ok(())
    }
}

fn objects(bench: &Bench<'_>, case: &Case) -> Result<Vec<String>> {
    let more = if case.needs == Needs::Site { SITE_KINDS } else { "" };
    let all: Value = serde_json::from_str(&bench.look(&format!("k3s kubectl get {KINDS}{more} -A -o json"))?)?;
    let items = all["items"].as_array().context("kubectl lists no objects")?;
    // Helm's own records are numbered; `helm list` tells what counts of them.
    let counted = items.iter().filter(|object| object["type"] != "helm.sh/release.v1");
    Ok(counted.filter_map(|object| line(object, case)).collect())
}

/// An object in one line: its name, and what was declared of it.
fn line(object: &Value, case: &Case) -> Option<String> {
    let mut object = object.clone();
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let name = format!("{} {}/{}", text("/kind"), text("/metadata/namespace"), text("/metadata/name"));
    if case.anew.contains(&name.as_str()) {
        return Some(name);
    }
    for pointer in VOLATILE.into_iter().chain(["/status", "/metadata/uid"]) {
        let (parent, key) = pointer.rsplit_once('/')?;
        if let Some(parent) = object.pointer_mut(parent).and_then(Value::as_object_mut) {
            parent.remove(key);
        }
    }
    if let Some(annotations) = object.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        annotations.retain(|key, _| !COUNTED.contains(&key.as_str()));
    }
    if let Some(template) = object.pointer_mut("/spec/template/metadata").and_then(Value::as_object_mut)
        && let Some(annotations) = template.get_mut("annotations").and_then(Value::as_object_mut)
    {
        annotations.retain(|key, _| !key.starts_with(TOLD));
        if annotations.is_empty() {
            template.remove("annotations");
        }
    }
    Some(format!("{name} {object}"))
}

/// Kubeconfig and pins, without when they were learnt.
fn operator(bench: &Bench<'_>) -> Result<Vec<String>> {
    let lock = std::fs::read_to_string(bench.project.path("bedplate.lock"))?;
    let pins = lock.lines().filter(|line| ["name", "size", "sha256"].iter().any(|key| line.starts_with(key))).map(str::to_owned);
    let kubeconfig = std::fs::read_to_string(kubeconfig(bench)?)?;
    Ok(pins.chain(kubeconfig.lines().map(|line| format!("kubeconfig {line}"))).collect())
}

/// Where the operator's kubeconfig lies.
pub fn kubeconfig(bench: &Bench<'_>) -> Result<std::path::PathBuf> {
    let path = bench.project.inventory["kubeconfig"]["path"].as_str().context("the inventory names no kubeconfig")?;
    Ok(bench.rig.operator.home().join(path.trim_start_matches("~/")))
}

/// What runs, and since when.
pub struct Work {
    /// How often systemd has started k3s, by its journal.
    pub starts: i64,
    /// Every pod, and how often its containers were restarted.
    pub restarts: BTreeSet<String>,
}

impl Work {
    /// As it is.
    pub fn of(bench: &Bench<'_>) -> Result<Self> {
        let starts = bench.look("journalctl --unit k3s --output cat | grep -c '^Started k3s.service'")?;
        let restarts = bench.look(
            "k3s kubectl get pods -A -l '!acme.cert-manager.io/http01-solver' --no-headers \
             -o custom-columns=UID:.metadata.uid,NAME:.metadata.name,RESTARTS:.status.containerStatuses[*].restartCount",
        )?;
        let restarts = restarts.lines().map(str::to_owned).collect();
        Ok(Self { starts: starts.trim().parse().with_context(|| format!("it was started {starts} times"))?, restarts })
    }

    /// The pods alone.
    pub fn pods(&self) -> BTreeSet<&str> {
        self.restarts.iter().filter_map(|line| line.split(' ').next()).collect()
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.restarts.iter().try_for_each(|pod| writeln!(f, "{pod}"))?;
        f.write_char('\n')
    }
}
