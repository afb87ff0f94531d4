//! A k3s that the official installer made is refused with its differences, and taken over by consent with one restart.

use std::fs::File;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use toml::Table;

use super::Context;
use super::flow::{bedplate, ended};
use crate::bench::Bench;

/// What the official installer leaves behind (contract §1.4, §1.5), but for its scripts' content, and what a user writes before it. The
/// stand-in takes no flags, so its settings stand in config.yaml.
const INSTALL: &str = r#"set -eu
cd /usr/local/bin
chown root:root k3s
chmod 755 k3s
for alias in kubectl crictl ctr; do ln -s k3s $alias; done
for script in k3s-killall.sh k3s-uninstall.sh; do printf '#!/bin/sh\n' >$script; chmod 755 $script; done
mkdir -p /etc/rancher/k3s
cat >/etc/rancher/k3s/config.yaml <<END
kubelet-arg: [fail-cgroupv1=false]
node-name: $1
node-label:
  - by=installer
secrets-encryption: true
END
cat >/etc/systemd/system/k3s.service.env <<END
K3S_KUBECONFIG_MODE='644'
END
chmod 600 /etc/systemd/system/k3s.service.env
cat >/etc/systemd/system/k3s.service <<'END'
[Unit]
Description=Lightweight Kubernetes
Documentation=https://k3s.io
Wants=network-online.target
After=network-online.target

[Install]
WantedBy=multi-user.target

[Service]
Type=notify
EnvironmentFile=-/etc/default/%N
EnvironmentFile=-/etc/sysconfig/%N
EnvironmentFile=-/etc/systemd/system/k3s.service.env
KillMode=process
Delegate=yes
User=root
LimitNOFILE=1048576
LimitNPROC=infinity
LimitCORE=infinity
TasksMax=infinity
TimeoutStartSec=0
Restart=always
RestartSec=5s
ExecStartPre=-/sbin/modprobe br_netfilter
ExecStartPre=-/sbin/modprobe overlay
ExecStart=/usr/local/bin/k3s \
    server \

END
systemctl daemon-reload
systemctl enable --quiet k3s
timeout 90 systemctl start k3s
"#;

/// What a user makes of it.
const USE: &str = r#"set -eu
k3s kubectl create configmap kept --from-literal=by=user
k3s kubectl create deployment kept --image=docker.io/rancher/mirrored-library-busybox:1.37.0 -- /httpd -f -p 8080
timeout 100 k3s kubectl rollout status deployment kept || { k3s kubectl describe pods --selector=app=kept >&2; exit 1; }
"#;

/// On a host where k3s runs already.
pub fn adopt(context: &Context) -> Result<()> {
    let mut bench = Bench::fresh(context.rig, 3)?;
    reduce(&mut bench.project.inventory, &bench.host.name, &bench.host.address).context("the example has another shape")?;
    bench.project.save(&context.rig.operator)?;
    let taken = install(&bench).and_then(|()| taken_over(&bench));
    bench.host.discard()?;
    taken
}

fn taken_over(bench: &Bench<'_>) -> Result<()> {
    let before = (data(bench)?, starts(bench)?, files(bench)?);

    let refused = bedplate(bench, &["bootstrap", "inventory.toml"])?;
    ended(&refused, 1)?;
    for told in ["that bedplate did not make", "lost: node-label = by=installer", "K3S_KUBECONFIG_MODE", "bootstrap --adopt"] {
        ensure!(refused.stderr.contains(told), "it doesn't say {told:?}:\n{}", refused.stderr);
    }
    let plan = bedplate(bench, &["plan", "--adopt", "inventory.toml"])?;
    ended(&plan, 2)?;
    ensure!(plan.stdout.contains("k3s: act") && plan.stdout.contains("lost: node-label = by=installer"), "{}", plan.stdout);
    ensure!((data(bench)?, starts(bench)?, files(bench)?) == before, "a look or a refusal changed something");

    let adopted = bedplate(bench, &["bootstrap", "--adopt", "inventory.toml"])?;
    ended(&adopted, 0)?;
    ensure!(adopted.stderr.contains("lost: node-label = by=installer"), "it doesn't say what is lost:\n{}", adopted.stderr);
    ensure!(data(bench)? == before.0, "before:\n{}\nafter:\n{}", before.0, data(bench)?);
    ensure!(starts(bench)? == before.1 + 1, "it was started {} times, and {} times before", starts(bench)?, before.1);
    bench.look(
        "grep -q '^# Written by bedplate' /etc/systemd/system/k3s.service && test \"$(stat -c %a /etc/rancher/k3s/k3s.yaml)\" = 600",
    )?;

    let after = (data(bench)?, starts(bench)?, files(bench)?);
    let again = bedplate(bench, &["bootstrap", "inventory.toml"])?;
    ended(&again, 0)?;
    ensure!(again.stdout.contains("nothing was changed, nothing was restarted"), "{}", again.stdout);
    ensure!((data(bench)?, starts(bench)?, files(bench)?) == after, "the second run changed something");
    Ok(())
}

/// What must outlive the take-over: the cluster's identity and its objects.
fn data(bench: &Bench<'_>) -> Result<String> {
    bench.look(
        "set -e
         k3s kubectl get $(k3s kubectl get nodes -o name) configmap/kept deployment/kept -o custom-columns=NAME:.metadata.name,UID:.metadata.uid
         k3s kubectl get pods -o custom-columns=UID:.metadata.uid,RESTARTS:.status.containerStatuses[*].restartCount
         k3s kubectl get namespace kube-system -o jsonpath={.metadata.uid}
         sha256sum /var/lib/rancher/k3s/server/token",
    )
}

/// How often systemd has started k3s, by its journal.
fn starts(bench: &Bench<'_>) -> Result<usize> {
    let started = bench.look("journalctl --unit k3s --output cat | grep -c '^Started k3s.service'")?;
    started.trim().parse().with_context(|| format!("it was started {started} times"))
}

/// What a refusal leaves alone.
fn files(bench: &Bench<'_>) -> Result<String> {
    bench.look("find /etc/rancher /etc/systemd/system /usr/local /root/.kube -type f -printf '%p %i %C@ %m\\n' 2>/dev/null | sort")
}

/// Lays down the binary and k3s' images as a user without a line does it, then does what the installer would.
fn install(bench: &Bench<'_>) -> Result<()> {
    let artifacts = &bench.rig.artifacts;
    for (name, path) in [("k3s", "/usr/local/bin/k3s"), ("k3s-airgap", "/var/lib/rancher/k3s/agent/images/k3s-airgap-images-amd64.tar")] {
        let pin = artifacts.pins.iter().find(|pin| pin.name == name).with_context(|| format!("the rig has built no {name}"))?;
        let mut copy: Command = bench.host.exec()?;
        copy.args(["sh", "-c", "mkdir -p \"$(dirname \"$0\")\" && cat >\"$0\"", path]).stdin(File::open(artifacts.dir.join(&pin.path))?);
        ensure!(copy.status()?.success(), "{path} can't be written");
    }
    bench.look(&INSTALL.replace("$1", &bench.host.name))?;
    bench.look(USE).map(drop)
}

/// Leaves k3s alone in the inventory.
fn reduce(inventory: &mut Table, name: &str, address: &str) -> Option<()> {
    for table in ["images", "jwt_keys", "secrets", "releases", "sites", "acme", "registries"] {
        inventory.remove(table)?;
    }
    let host = inventory.get_mut("hosts")?.get_mut(0)?.as_table_mut()?;
    host.insert("name".into(), name.into());
    host.insert("public_ip".into(), address.into());
    inventory.get_mut("k3s")?.as_table_mut()?.insert("tls-san".into(), vec![address].into());
    Some(())
}
