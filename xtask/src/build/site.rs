//! The served folder, in the shape of the upstream download sites, and its sums.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use flate2::{Compression, GzBuilder};
use tar::Builder;

use super::Pin;
use super::cache::{Cache, Key, measure};
use super::chart;
use super::image::append;
use super::parts::Parts;
use super::program::{HELM, K3S};

/// The part of the site that is served.
pub const SERVED: &str = "www";
/// Programs for this machine.
pub const PROGRAMS: &str = "bin";
/// The pins, as JSON, beside the served folder.
const PINS: &str = "pins.json";

/// The site's folder; [`SERVED`], [`PROGRAMS`] and [`PINS`] lie in it.
pub fn assemble(cache: &Cache, parts: &Parts) -> Result<PathBuf> {
    let key = parts.all().iter().fold(Key::default().text(include_str!("site.rs")), |key, part| key.path(part));
    cache.entry("site", key, |out| {
        for (name, program) in [("helm", &parts.helm), ("serve", &parts.serve)] {
            place(program, &out.join(PROGRAMS).join(name))?;
        }
        let pins = serve(&out.join(SERVED), parts)?;
        fs::write(out.join(PINS), serde_json::to_string_pretty(&pins)?).context("write the pins")
    })
}

/// The pins of an assembled site.
pub fn pins(site: &Path) -> Result<Vec<Pin>> {
    let text = fs::read_to_string(site.join(PINS)).context("read the pins")?;
    Ok(serde_json::from_str(&text)?)
}

fn serve(www: &Path, parts: &Parts) -> Result<Vec<Pin>> {
    let release = format!("k3s/releases/download/{K3S}");
    let (k3s, airgap) = (format!("{release}/k3s"), format!("{release}/k3s-airgap-images-amd64.tar"));
    let helm = format!("helm/helm-{HELM}-linux-amd64.tar.gz");
    let chart = format!("charts/cert-manager-{}.tgz", chart::VERSION);
    place(&parts.k3s, &www.join(&k3s))?;
    place(&parts.airgap, &www.join(&airgap))?;
    place(&parts.chart, &www.join(&chart))?;
    helm_tarball(&parts.helm, &www.join(&helm))?;

    let pins = [
        ("k3s", K3S, Some("amd64"), k3s),
        ("k3s-airgap", K3S, Some("amd64"), airgap),
        ("helm", HELM, Some("amd64"), helm.clone()),
        ("cert-manager", chart::VERSION, None, chart),
    ]
    .into_iter()
    .map(|(name, version, arch, path)| {
        let (size, sha256) = measure(&www.join(&path))?;
        Ok(Pin { name: name.to_owned(), version: version.to_owned(), arch: arch.map(str::to_owned), path, size, sha256 })
    })
    .collect::<Result<Vec<_>>>()?;

    // k3s lists its airgap tars first, then the binary (contract §1.2).
    fs::write(www.join(&release).join("sha256sum-amd64.txt"), sums([&pins[1], &pins[0]]))?;
    fs::write(www.join(format!("{helm}.sha256sum")), sums([&pins[2]]))?;
    Ok(pins)
}

/// As `sha256sum` prints them: digest, two spaces, file name.
fn sums<'a>(pins: impl IntoIterator<Item = &'a Pin>) -> String {
    pins.into_iter().map(|pin| format!("{}  {}\n", pin.sha256, pin.path.rsplit('/').next().unwrap_or(&pin.path))).collect()
}

fn helm_tarball(helm: &Path, out: &Path) -> Result<()> {
    parent(out)?;
    let file = fs::File::create(out).with_context(|| format!("create {}", out.display()))?;
    let mut tar = Builder::new(GzBuilder::new().mtime(0).write(file, Compression::fast()));
    let text = fs::read(helm).with_context(|| format!("read {}", helm.display()))?;
    append(&mut tar, "linux-amd64/helm", &text, 0o755)?;
    tar.into_inner()?.finish()?;
    Ok(())
}

/// Links a part into the site: same file, no second copy on the disk.
fn place(part: &Path, target: &Path) -> Result<()> {
    parent(target)?;
    fs::hard_link(part, target).with_context(|| format!("link {} to {}", part.display(), target.display()))
}

fn parent(path: &Path) -> Result<()> {
    let dir = path.parent().context("a path without a folder")?;
    fs::create_dir_all(dir).with_context(|| format!("make {}", dir.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_read_as_sha256sum_writes_them() {
        let pin = Pin {
            name: "k3s".to_owned(),
            version: K3S.to_owned(),
            arch: None,
            path: "k3s/releases/download/v1/k3s".to_owned(),
            size: 1,
            sha256: "ab".repeat(32),
        };
        assert_eq!(sums([&pin]), format!("{}  k3s\n", "ab".repeat(32)));
    }
}
