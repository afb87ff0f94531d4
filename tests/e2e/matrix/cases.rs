//! Drifts, each mended by an action of another kind.

use std::fs;
use std::time::Duration;

use anyhow::Result;
use toml::{Table, Value};

use super::state::kubeconfig;
use crate::bench::Bench;

/// A drift, and the action that mends it.
pub struct Case {
    /// In the matrix' table.
    pub name: &'static str,
    /// Makes the drift on a converged host.
    pub drift: fn(&Bench<'_>) -> Result<()>,
    /// How the action's words begin, as progress shows them.
    pub action: &'static str,
    /// What it takes at least; the fault falls within.
    pub lasts: Duration,
    /// How often mending starts k3s.
    pub starts: u32,
    /// What becomes of pods.
    pub pods: Pods,
    /// Objects that are made anew, and so are others afterwards: `Kind namespace/name`.
    pub anew: &'static [&'static str],
    /// Where it can be tried.
    pub needs: Needs,
    /// Who performs the action.
    pub side: Side,
    /// What bootstrap must be told beside the inventory.
    pub flags: &'static [&'static str],
}

/// What becomes of pods while the drift is made and mended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Pods {
    /// Nothing.
    Kept,
    /// Drift and cure replace some.
    Replaced,
}

/// Where a case can be tried.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Anywhere.
    Host,
    /// Where an application is released.
    Site,
}

/// Who performs an action.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The host or its API server: a line that falls silent is missed at once.
    Host,
    /// The operator's own machine: the host may have nothing more to say.
    Operator,
}

impl Case {
    /// The arguments of a bootstrap that mends it.
    pub fn bootstrap<'a>(&self, more: &[&'a str]) -> Vec<&'a str>
    where
        'static: 'a,
    {
        [&["bootstrap"], self.flags, more, &["inventory.toml"]].concat()
    }
}

/// What most cases are: over at once, restarting nothing.
const fn case(name: &'static str, action: &'static str, drift: fn(&Bench<'_>) -> Result<()>) -> Case {
    let (lasts, flags) = (Duration::ZERO, &[]);
    Case { name, drift, action, lasts, starts: 0, pods: Pods::Kept, anew: &[], needs: Needs::Host, side: Side::Host, flags }
}

/// One that needs the application.
const fn site(name: &'static str, action: &'static str, drift: fn(&Bench<'_>) -> Result<()>) -> Case {
    Case { needs: Needs::Site, ..case(name, action, drift) }
}

const SECONDS: Duration = Duration::from_secs(3);
const PRUNE: &[&str] = &["--prune", "--yes"];

/// All of them, in the order of the verbs (`Action`).
pub const CASES: &[Case] = &[
    case("write-file", "write /home/appuser/.kube/config", |bench| on(bench, "chmod 644 /home/appuser/.kube/config")),
    Case { starts: 1, ..case("write-config", "write /etc/rancher/k3s/config.yaml", |bench| on(bench, LABELLED)) },
    case("make-folder", "make folder /home/appuser/.kube", |bench| on(bench, "chmod 755 /home/appuser/.kube")),
    case("link-kubectl", "link /usr/local/bin/kubectl", |bench| on(bench, "rm /usr/local/bin/kubectl")),
    case("link-helm", "link /usr/local/bin/helm", |bench| on(bench, "ln -sfn /usr/local/lib/bedplate/helm-former /usr/local/bin/helm")),
    Case {
        lasts: Duration::from_secs(1),
        ..case("enforce-rules", "enforce /etc/bedplate/firewall.nft", |bench| on(bench, "nft delete table inet bedplate"))
    },
    Case {
        lasts: Duration::from_secs(1),
        ..case("enforce-sshd", "enforce /etc/ssh/sshd_config.d/00-bedplate.conf", |bench| on(bench, PASSWORDS))
    },
    Case { lasts: SECONDS, ..case("install-helm", "install helm", |bench| on(bench, "rm /usr/local/lib/bedplate/helm-*")) },
    Case { lasts: SECONDS, starts: 1, ..case("install-k3s", "install k3s", |bench| on(bench, GROWN)) },
    Case { starts: 1, ..case("reload-unit", "reload systemd", |bench| on(bench, "echo '# by hand' >>/etc/systemd/system/k3s.service")) },
    case("enable-unit", "enable k3s", |bench| on(bench, "systemctl disable k3s")),
    Case { lasts: SECONDS, starts: 1, ..case("start-unit", "start k3s", |bench| on(bench, "systemctl stop k3s")) },
    Case { lasts: SECONDS, starts: 1, ..case("restart-unit", "restart k3s", |bench| on(bench, LABELLED)) },
    Case {
        lasts: Duration::from_secs(1),
        ..case("import-image", "import image", |bench| on(bench, "k3s ctr images rm docker.io/shop/web:1.0.0"))
    },
    case("pin-image", "pin image", |bench| on(bench, "k3s ctr images label docker.io/shop/web:1.0.0 io.cri-containerd.pinned=")),
    case("create-secret", "write secret shop/shop-secrets", |bench| on(bench, "k3s kubectl -n shop delete secret shop-secrets")),
    case("mend-secret", "write secret shop/shop-secrets", |bench| on(bench, KEYS)),
    Case {
        anew: &["Secret shop/jwt-keys"],
        ..case("create-key-pair", "make an RSA key pair", |bench| on(bench, "k3s kubectl -n shop delete secret jwt-keys"))
    },
    case("apply-namespace", "apply namespace shop", |bench| on(bench, "k3s kubectl label namespace shop app.kubernetes.io/managed-by-")),
    Case { flags: PRUNE, ..case("delete-secret", "delete secret shop/left", |bench| on(bench, LEFT)) },
    Case { side: Side::Operator, ..case("merge-kubeconfig", "merge the cluster into", forget_cluster) },
    Case { side: Side::Operator, ..case("learn-helm", "fetch helm", forget_helm) },
    site("delete-responder", "delete job shop/left", |bench| on(bench, LEFT_RESPONDER)),
    site("apply-policy", "apply networkpolicy", |bench| on(bench, "k3s kubectl -n shop delete networkpolicy bedplate-acme-solver")),
    site("apply-issuer", "apply clusterissuer", |bench| on(bench, ELSEWHERE)),
    Case {
        lasts: Duration::from_secs(1),
        pods: Pods::Replaced,
        ..site("upgrade-release", "helm upgrade --install shop", |bench| {
            on(bench, "k3s kubectl -n shop scale deployment auth --replicas=2")
        })
    },
    Case {
        lasts: SECONDS,
        pods: Pods::Replaced,
        anew: &["Service shop/auth", "Service shop/web", "Certificate shop/shop-tls"],
        ..site("install-release", "helm upgrade --install shop", |bench| on(bench, UNINSTALL))
    },
    site("drop-pending", "drop the pending revision", |bench| on(bench, &pending("${chart%.*}.$next"))),
    Case { lasts: SECONDS, ..site("roll-back", "helm rollback shop", |bench| on(bench, &pending("other.$next"))) },
    Case { flags: PRUNE, ..site("uninstall-release", "helm uninstall left", |bench| on(bench, LEFT_RELEASE)) },
];

const PASSWORDS: &str = "rm /etc/ssh/sshd_config.d/00-bedplate.conf; systemctl reload ssh";
const LABELLED: &str = "echo 'node-label: [by-hand=yes]' >>/etc/rancher/k3s/config.yaml";
/// One byte more in the binary on disk; the running process is the old one.
const GROWN: &str =
    "cp /usr/local/bin/k3s /usr/local/bin/k3s.new && printf x >>/usr/local/bin/k3s.new && mv /usr/local/bin/k3s.new /usr/local/bin/k3s";
const KEYS: &str = r#"k3s kubectl -n shop patch secret shop-secrets --type=json \
    -p '[{"op":"remove","path":"/data/EMAIL_FROM"},{"op":"add","path":"/data/DATABASE_URL","value":"eA=="}]'"#;
const LEFT: &str = "k3s kubectl -n shop create secret generic left --from-literal=a=b
    k3s kubectl -n shop label secret left app.kubernetes.io/managed-by=bedplate";
/// What the probe of another run left: its Job, and an Ingress that goes with it. No pod, which would take its time to go.
const LEFT_RESPONDER: &str = r#"set -e
    printf '%s' '{"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "left", "namespace": "shop",
      "labels": {"app.kubernetes.io/managed-by": "bedplate", "bedplate.dev/probe": "challenge"}, "annotations": {"bedplate.dev/domain": "gone.example"}},
      "spec": {"suspend": true, "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "docker.io/shop/web:1.0.0"}]}}}}' \
      | k3s kubectl create -f -
    uid=$(k3s kubectl -n shop get job left -o jsonpath='{.metadata.uid}')
    printf '%s' '{"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "left", "namespace": "shop",
      "ownerReferences": [{"apiVersion": "batch/v1", "kind": "Job", "name": "left", "uid": "'$uid'"}]},
      "spec": {"ingressClassName": "traefik", "rules": [{"host": "gone.example"}]}}' | k3s kubectl create -f -"#;
const ELSEWHERE: &str =
    r#"k3s kubectl patch clusterissuer letsencrypt-staging --type=merge -p '{"spec":{"acme":{"email":"else@shop.example"}}}'"#;
const UNINSTALL: &str = "KUBECONFIG=/etc/rancher/k3s/k3s.yaml helm uninstall shop -n shop --wait";
const LEFT_RELEASE: &str = r"set -e
    mkdir -p /run/left/templates
    printf 'apiVersion: v2\nname: left\nversion: 1.0.0\n' >/run/left/Chart.yaml
    printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: left }\n' >/run/left/templates/left.yaml
    KUBECONFIG=/etc/rancher/k3s/k3s.yaml helm install left /run/left -n shop --labels bedplate.dev/chart=by-hand.1
    rm -r /run/left";

/// What a helm leaves that was killed in the middle of an upgrade: a revision more, pending. `mark` is what stands in its label, where
/// `$next` is its number and `$chart` what stands in the label of the one before.
pub fn pending(mark: &str) -> String {
    format!(
        r#"set -e
        get() {{ k3s kubectl -n shop get secret -l owner=helm,name=shop,status=deployed -o "jsonpath={{.items[0]$1}}"; }}
        last=$(get .metadata.labels.version) next=$((last + 1))
        record=$(get .data.release | base64 -d | base64 -d | gunzip \
          | sed "s/\"status\":\"deployed\"/\"status\":\"pending-upgrade\"/; s/\"version\":$last,\"namespace\"/\"version\":$next,\"namespace\"/" \
          | gzip | base64 -w0 | base64 -w0)
        chart=$(get '.metadata.labels.bedplate\.dev/chart')
        cat <<END | k3s kubectl create -f -
apiVersion: v1
kind: Secret
type: helm.sh/release.v1
metadata:
  name: sh.helm.release.v1.shop.v$next
  namespace: shop
  labels:
    owner: helm
    name: shop
    status: pending-upgrade
    version: "$next"
    createdAt: "$(date +%s)"
    bedplate.dev/chart: "{mark}"
data:
  release: $record
END"#
    )
}

fn on(bench: &Bench<'_>, script: &str) -> Result<()> {
    bench.look(script).map(drop)
}

/// Leaves nothing of the cluster in the operator's kubeconfig.
fn forget_cluster(bench: &Bench<'_>) -> Result<()> {
    Ok(fs::write(kubeconfig(bench)?, "apiVersion: v1\nkind: Config\n")?)
}

/// Takes helm's pin out of `bedplate.lock`.
fn forget_helm(bench: &Bench<'_>) -> Result<()> {
    let file = bench.project.path("bedplate.lock");
    let mut lock: Table = fs::read_to_string(&file)?.parse()?;
    if let Some(Value::Array(artifacts)) = lock.get_mut("artifact") {
        artifacts.retain(|artifact| artifact.get("name").and_then(Value::as_str) != Some("helm"));
    }
    Ok(fs::write(file, toml::to_string(&lock)?)?)
}
