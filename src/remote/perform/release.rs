//! helm, run on the host.

use std::io;
use std::path::Path;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::io::AsyncReadExt as _;

use super::{SHORT, STRICT, Sent};
use crate::model::{CHART_LABEL, ROLLED_BACK, ReleaseAction, ReleaseUpgrade, Secret, mark};
use crate::operator::chart_files;
use crate::remote::Remote;
use crate::remote::error::Error;
use crate::remote::quote::quote;
use crate::remote::sweep::sweeping;

/// What helm may take beyond its own `--timeout`, which holds for each of its hooks.
const SLACK: u64 = 120;

/// Removes what a killed script left of its work.
const SWEEP: &str = "rm -rf /run/bedplate/release-*";
/// helm's surroundings, in `$d`.
pub(in crate::remote) const SURROUNDINGS: &str = r#"export KUBECONFIG=/etc/rancher/k3s/k3s.yaml HELM_CACHE_HOME="$d/cache" HELM_CONFIG_HOME="$d/config" HELM_DATA_HOME="$d/data"
"#;

/// Helm 4 applies on the server's side and stops at fields of others unless told otherwise, and forces only where it applies so (helm:
/// v4 pkg/cmd/upgrade.go, rollback.go); helm 3 does not know the words.
pub(in crate::remote) const FORCE: &str = "case $(/usr/local/bin/helm version --template '{{.Version}}') in v3.*) set -- ;; *) set -- --server-side=true --force-conflicts ;; esac\n";

impl Remote {
    pub(super) async fn release(&self, what: &str, action: &ReleaseAction, fetched: &Path, sent: Sent<'_>) -> Result<(), Error> {
        match action {
            ReleaseAction::Upgrade { release, revision } => {
                let chart = packed(fetched).await?;
                let values = serde_json::to_vec(&release.values).map_err(|error| Error::Here(format!("write the values: {error}")))?;
                let values = Secret::new(values);
                let size = (chart.len() + values.expose().len()) as u64;
                let limit = Duration::from_secs(release.timeout + 2 * SLACK);
                let mut payload = (&*chart).chain(values.expose());
                self.send(what, &upgrade(release, *revision, chart.len()), &mut payload, size, sent, limit).await
            }
            ReleaseAction::Uninstall { namespace, name } => {
                self.script(what, &uninstall(namespace, name), Duration::from_secs(300 + 2 * SLACK)).await
            }
            ReleaseAction::ClearPending { namespace, name, revision, deployed } => match deployed {
                Some(good) => self.script(what, &rollback(namespace, name, *revision, *good), Duration::from_secs(300 + 2 * SLACK)).await,
                None => self.script(what, &forget(namespace, name, *revision), SHORT).await,
            },
        }
    }
}

/// A folder on tmpfs that only root can enter, and helm's surroundings in it: values may hold secrets. It goes when the script ends;
/// what a killed one left goes now.
fn workplace() -> String {
    format!(
        "umask 077\nmkdir -p /run/bedplate\nchmod 0700 /run/bedplate\n{}swept\nd=$(mktemp -d /run/bedplate/release-XXXXXX)\n{SURROUNDINGS}",
        sweeping(SWEEP)
    )
}

/// Takes the payload, a chart of so many bytes and then the values, apart.
pub(in crate::remote) fn unpack(chart: usize) -> String {
    format!(
        "head -c {chart} >\"$d/chart.tgz\"\ncat >\"$d/values.json\"\nmkdir \"$d/chart\"\n\
         tar -xzf \"$d/chart.tgz\" -C \"$d/chart\" --strip-components=1 --no-same-owner\n"
    )
}

/// The payload is the chart, then the values. Empty ones must not bring the old ones back, so helm is told to reset them.
fn upgrade(release: &ReleaseUpgrade, revision: u32, chart: usize) -> String {
    let ReleaseUpgrade { namespace, name, chart: _, chart_digest, values: _, timeout } = release;
    format!(
        "{STRICT}{workplace}{unpacked}{FORCE}\
         timeout --foreground -k 30 {limit} /usr/local/bin/helm upgrade --install {name} \"$d/chart\" -n {namespace} -f \"$d/values.json\" --reset-values \
         --timeout {timeout}s --history-max 10 --labels {label} \"$@\" >/dev/null\n",
        workplace = workplace(),
        unpacked = unpack(chart),
        limit = timeout + SLACK,
        name = quote(name),
        namespace = quote(namespace),
        label = quote(&format!("{CHART_LABEL}={}", mark(chart_digest, revision))),
    )
}

/// What is rolled back to gives its labels to the next revision (helm: pkg/action/rollback.go), which is marked as ours thereby.
fn rollback(namespace: &str, name: &str, pending: u32, good: u32) -> String {
    format!(
        "{STRICT}{workplace}{FORCE}\
         timeout --foreground 60 /usr/local/bin/k3s kubectl -n {namespace} label --overwrite secret {secret} {label} >/dev/null\n\
         timeout --foreground -k 30 {limit} /usr/local/bin/helm rollback {name} {good} -n {namespace} \
         --history-max 10 \"$@\" >/dev/null\n",
        workplace = workplace(),
        limit = 300 + SLACK,
        name = quote(name),
        namespace = quote(namespace),
        secret = quote(&kept(name, good)),
        label = quote(&format!("{CHART_LABEL}={}", mark(ROLLED_BACK, pending + 1))),
    )
}

/// helm keeps a revision in a Secret of this name (helm: pkg/storage).
fn kept(name: &str, revision: u32) -> String {
    format!("sh.helm.release.v1.{name}.v{revision}")
}

/// Its objects are waited for: a volume claim that is still ending would be found by who comes next.
fn uninstall(namespace: &str, name: &str) -> String {
    format!(
        "{STRICT}{workplace}timeout --foreground -k 30 {limit} /usr/local/bin/helm uninstall {name} -n {namespace} --ignore-not-found \
         --wait --timeout 300s >/dev/null\n",
        workplace = workplace(),
        limit = 300 + SLACK,
        name = quote(name),
        namespace = quote(namespace),
    )
}

/// No helm may follow, so what the killed one left goes here.
fn forget(namespace: &str, name: &str, revision: u32) -> String {
    format!(
        "{SWEEP}\n\
         timeout --foreground 60 /usr/local/bin/k3s kubectl -n {namespace} delete secret --ignore-not-found {secret} >/dev/null\n",
        namespace = quote(namespace),
        secret = quote(&kept(name, revision)),
    )
}

/// A chart as `.tgz`, its files below one folder.
pub(in crate::remote) async fn packed(path: &Path) -> Result<Vec<u8>, Error> {
    let owned = path.to_owned();
    let packed = tokio::task::spawn_blocking(move || if owned.is_dir() { pack(&owned) } else { std::fs::read(&owned) }).await;
    match packed {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) => Err(Error::here(&format!("read the chart {}", path.display()), &error)),
        Err(error) => Err(Error::Here(format!("read the chart {}: {error}", path.display()))),
    }
}

fn pack(folder: &Path) -> io::Result<Vec<u8>> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (inside, content) in chart_files(folder).map_err(io::Error::other)? {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, Path::new("chart").join(inside), &*content)?;
    }
    tar.into_inner()?.finish()
}
