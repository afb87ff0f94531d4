//! helm, run on the host.

use std::path::Path;
use std::time::Duration;

use super::{SHORT, STRICT, Sent};
use crate::model::{CHART_LABEL, ROLLED_BACK, ReleaseAction, ReleaseUpgrade, mark};
use crate::remote::Remote;
use crate::remote::error::Error;
use crate::remote::helm::{FORCE, SURROUNDINGS, Sources};
use crate::remote::quote::quote;
use crate::remote::sweep::{MADE, PLACE, sweeping};

/// What helm may take beyond its own `--timeout`, which holds for each of its hooks.
const SLACK: u64 = 120;

/// Removes what a killed script left of its work.
const SWEEP: &str = "rm -rf /run/bedplate/release-*";

impl Remote {
    pub(super) async fn release(&self, what: &str, action: &ReleaseAction, fetched: &Path, sent: Sent<'_>) -> Result<(), Error> {
        match action {
            ReleaseAction::Upgrade { release, revision } => {
                let sources = Sources::of(release, fetched).await?;
                let limit = Duration::from_secs(release.timeout + 2 * SLACK);
                let script = upgrade(release, *revision, &sources);
                self.send(what, &script, &mut sources.reader(), sources.size(), sent, limit).await
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

/// A folder for helm's surroundings: values may hold secrets. It goes when the script ends; what a killed one left goes now.
fn workplace() -> String {
    format!("{MADE}{}swept\nd=$(mktemp -d {PLACE}/release-XXXXXX)\n{SURROUNDINGS}", sweeping(SWEEP))
}

/// Empty values must not bring the old ones back, so helm is told to reset them.
fn upgrade(release: &ReleaseUpgrade, revision: u32, sources: &Sources) -> String {
    let ReleaseUpgrade { namespace, name, chart: _, chart_digest, values: _, timeout } = release;
    format!(
        "{STRICT}{workplace}{unpacked}{FORCE}\
         timeout --foreground -k 30 {limit} /usr/local/bin/helm upgrade --install {name} \"$d/chart\" -n {namespace} -f \"$d/values.json\" --reset-values \
         --timeout {timeout}s --history-max 10 --labels {label} \"$@\" >/dev/null\n",
        workplace = workplace(),
        unpacked = sources.unpack(),
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
