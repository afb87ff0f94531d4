//! What every helm on the host needs: its surroundings, and a release's chart and values, which come beside the script.

use std::io;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::error::Error;
use crate::model::{ReleaseUpgrade, Secret};
use crate::operator::chart_files;

/// helm's surroundings, in `$d`.
pub(super) const SURROUNDINGS: &str = r#"export KUBECONFIG=/etc/rancher/k3s/k3s.yaml HELM_CACHE_HOME="$d/cache" HELM_CONFIG_HOME="$d/config" HELM_DATA_HOME="$d/data"
"#;

/// Helm 4 applies on the server's side and stops at fields of others unless told otherwise, and forces only where it applies so (helm:
/// v4 pkg/cmd/upgrade.go, rollback.go); helm 3 does not know the words.
pub(super) const FORCE: &str = "case $(/usr/local/bin/helm version --template '{{.Version}}') in v3.*) set -- ;; *) set -- --server-side=true --force-conflicts ;; esac\n";

/// What a release is made of, as a script's payload: the chart, then the values.
pub(super) struct Sources {
    chart: Vec<u8>,
    values: Secret,
}

impl Sources {
    /// `chart` is a folder or `.tgz` on the operator's side.
    ///
    /// # Errors
    /// The chart can't be read.
    pub(super) async fn of(release: &ReleaseUpgrade, chart: &Path) -> Result<Self, Error> {
        let values = serde_json::to_vec(&release.values).map_err(|error| Error::Here(format!("write the values: {error}")))?;
        let values = Secret::new(values);
        Ok(Self { chart: packed(chart).await?, values })
    }

    /// Bytes of the payload.
    pub(super) fn size(&self) -> u64 {
        (self.chart.len() + self.values.expose().len()) as u64
    }

    /// The payload.
    pub(super) fn reader(&self) -> impl AsyncRead + Unpin + Send {
        (&*self.chart).chain(self.values.expose())
    }

    /// Takes the payload apart: `$d/chart` and `$d/values.json`.
    pub(super) fn unpack(&self) -> String {
        format!(
            "head -c {} >\"$d/chart.tgz\"\ncat >\"$d/values.json\"\nmkdir \"$d/chart\"\n\
             tar -xzf \"$d/chart.tgz\" -C \"$d/chart\" --strip-components=1 --no-same-owner\n",
            self.chart.len()
        )
    }
}

/// A chart as `.tgz`, its files below one folder.
async fn packed(path: &Path) -> Result<Vec<u8>, Error> {
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
