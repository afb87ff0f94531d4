//! Released files in place of what the rig builds: the same suite against a real k3s, where its release can be downloaded.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::cache::measure;
use super::{Artifacts, Pin, RegistryImage};

/// An image of a docker-archive.
#[derive(Deserialize)]
struct Saved {
    #[serde(rename = "RepoTags")]
    tags: Vec<String>,
}

/// Serves `folder` instead: the upstream sites' files at their paths, one version each, and below `images/` one docker-archive
/// for each of cert-manager's images.
pub fn released(folder: &Path, built: Artifacts) -> Result<Artifacts> {
    let folder = folder.canonicalize().with_context(|| format!("look at {}", folder.display()))?;
    let k3s = only(&folder, "k3s/releases/download", "v", "")?;
    let helm = only(&folder, "helm", "helm-v", "-linux-amd64.tar.gz")?;
    let chart = only(&folder, "charts", "cert-manager-v", ".tgz")?;
    let version = |name: &str, head: &str, tail: &str| name.replacen(head, "", 1).replace(tail, "");
    let pins = [
        ("k3s", k3s.clone(), Some("amd64"), format!("k3s/releases/download/{k3s}/k3s")),
        ("k3s-airgap", k3s.clone(), Some("amd64"), format!("k3s/releases/download/{k3s}/k3s-airgap-images-amd64.tar")),
        ("helm", version(&helm, "helm-", "-linux-amd64.tar.gz"), Some("amd64"), format!("helm/{helm}")),
        ("cert-manager", version(&chart, "cert-manager-", ".tgz"), None, format!("charts/{chart}")),
    ];
    let pins = pins.into_iter().map(|(name, version, arch, path)| {
        let (size, sha256) = measure(&folder.join(&path))?;
        Ok(Pin { name: name.into(), version, arch: arch.map(Into::into), path, size, sha256 })
    });
    let images = fs::read_dir(folder.join("images")).context("look for cert-manager's images")?;
    let images = images.map(|entry| image(entry?.path())).collect::<Result<_>>()?;
    Ok(Artifacts { pins: pins.collect::<Result<_>>()?, images, dir: folder, ..built })
}

/// The only entry of a folder whose name begins and ends so.
fn only(folder: &Path, below: &str, head: &str, tail: &str) -> Result<String> {
    let path = folder.join(below);
    let entries = fs::read_dir(&path).with_context(|| format!("look at {}", path.display()))?;
    let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect::<Result<Vec<_>>>()?;
    let mut fitting: Vec<_> = names.into_iter().filter(|name| name.starts_with(head) && name.ends_with(tail)).collect();
    ensure!(fitting.len() == 1, "{} must hold one {head}…{tail}, and holds {}", path.display(), fitting.len());
    Ok(fitting.remove(0))
}

fn image(tar: PathBuf) -> Result<RegistryImage> {
    let read = || -> Result<String> {
        let mut archive = tar::Archive::new(File::open(&tar)?);
        let manifest = archive.entries_with_seek()?.find_map(|entry| {
            let entry = entry.ok()?;
            (entry.path().ok()?.as_ref() == Path::new("manifest.json")).then_some(entry)
        });
        let mut text = String::new();
        manifest.context("it holds no manifest.json")?.read_to_string(&mut text)?;
        let mut saved: Vec<Saved> = serde_json::from_str(&text)?;
        ensure!(saved.len() == 1 && saved[0].tags.len() == 1, "it must hold one image with one name");
        Ok(saved.remove(0).tags.remove(0))
    };
    let name = read().with_context(|| format!("read {}", tar.display()))?;
    Ok(RegistryImage { tar, name })
}

#[cfg(test)]
mod tests {
    use super::super::AppImages;
    use super::*;

    #[test]
    fn a_folder_of_releases_is_pinned_by_what_lies_there() {
        let folder = tempfile::tempdir().unwrap();
        let put = |path: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        };
        put("k3s/releases/download/v1.35.5+k3s1/k3s");
        put("k3s/releases/download/v1.35.5+k3s1/k3s-airgap-images-amd64.tar");
        put("helm/helm-v4.2.4-linux-amd64.tar.gz");
        put("charts/cert-manager-v1.21.1.tgz");
        fs::create_dir(folder.path().join("images")).unwrap();
        let built = || Artifacts {
            dir: PathBuf::new(),
            pins: Vec::new(),
            images: Vec::new(),
            app_images: AppImages { auth: PathBuf::new(), web: PathBuf::new(), tokens: PathBuf::new() },
            bin: PathBuf::new(),
        };
        let pins = released(folder.path(), built()).unwrap().pins;
        let seen: Vec<_> = pins.iter().map(|pin| (pin.name.as_str(), pin.version.as_str(), pin.size)).collect();
        let k3s = "v1.35.5+k3s1";
        assert_eq!(seen, [("k3s", k3s, 1), ("k3s-airgap", k3s, 1), ("helm", "v4.2.4", 1), ("cert-manager", "v1.21.1", 1)]);
        put("helm/helm-v4.2.5-linux-amd64.tar.gz");
        assert!(released(folder.path(), built()).is_err_and(|error| error.to_string().contains("holds 2")));
    }
}
