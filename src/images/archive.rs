//! What a docker-archive, an OCI tar or an OCI folder holds. An image's identity is the digest of its config.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::reference::full;
use crate::model::ImageArchive;

/// Larger texts than this are no manifest.
const CAP: u64 = 4 << 20;

/// `manifest.json` of a docker-archive.
#[derive(Deserialize)]
struct DockerManifest {
    #[serde(rename = "Config")]
    config: String,
    #[serde(rename = "RepoTags", default)]
    tags: Option<Vec<String>>,
}

/// An OCI image index or manifest: what of it matters here (OCI image-spec v1.1).
#[derive(Deserialize)]
struct OciDocument {
    #[serde(default)]
    manifests: Vec<Descriptor>,
    config: Option<Descriptor>,
}

/// An OCI descriptor.
#[derive(Deserialize)]
struct Descriptor {
    digest: String,
    #[serde(default)]
    annotations: std::collections::BTreeMap<String, String>,
}

/// Reads what an archive holds.
///
/// # Errors
/// In words: it can't be read, is no archive, holds no image or several, or its image has no name.
pub fn read(path: &Path) -> Result<ImageArchive, String> {
    if path.is_dir() {
        let size = folder_size(path).map_err(|error| error.to_string())?;
        let member = |name: &str| std::fs::read(path.join(name)).ok();
        return oci(&member, size);
    }
    let size = path.metadata().map_err(|error| error.to_string())?.len();
    let member = |name: &str| tar_member(path, name);
    match member("manifest.json") {
        Some(manifest) => docker(&manifest, &member, size),
        None => oci(&member, size),
    }
}

fn docker(manifest: &[u8], member: &dyn Fn(&str) -> Option<Vec<u8>>, size: u64) -> Result<ImageArchive, String> {
    let mut images: Vec<DockerManifest> = serde_json::from_slice(manifest).map_err(|error| format!("manifest.json: {error}"))?;
    let image = match images.len() {
        1 => images.remove(0),
        0 => return Err("manifest.json names no image".into()),
        several => return Err(format!("it holds {several} images; save one image a file")),
    };
    let config = member(&image.config).ok_or_else(|| format!("it lacks its config {}: the archive is cut", image.config))?;
    let names: Vec<_> = image.tags.unwrap_or_default().iter().map(|tag| full(tag)).collect();
    named(names, format!("sha256:{:x}", Sha256::digest(config)), size)
}

fn oci(member: &dyn Fn(&str) -> Option<Vec<u8>>, size: u64) -> Result<ImageArchive, String> {
    let blob = |digest: &str| member(&format!("blobs/{}", digest.replacen(':', "/", 1))).ok_or_else(|| format!("it lacks {digest}"));
    let parse = |bytes: &[u8]| serde_json::from_slice::<OciDocument>(bytes).map_err(|error| error.to_string());
    let index = member("index.json").ok_or("it holds neither manifest.json nor index.json: no docker-archive, no OCI layout")?;
    let mut document = parse(&index)?;
    let entry = match document.manifests.as_slice() {
        [entry] => entry,
        entries => return Err(format!("index.json names {} images; save one image a file", entries.len())),
    };
    let names = ["io.containerd.image.name", "org.opencontainers.image.ref.name"]
        .iter()
        .find_map(|key| entry.annotations.get(*key))
        .map(|name| full(name))
        .into_iter()
        .collect();
    for _ in 0..3 {
        if let Some(config) = &document.config {
            return named(names, config.digest.clone(), size);
        }
        let next = document.manifests.first().ok_or("an index in it is empty")?;
        document = parse(&blob(&next.digest)?)?;
    }
    Err("its indexes are nested too deeply".into())
}

fn named(names: Vec<String>, id: String, size: u64) -> Result<ImageArchive, String> {
    if names.is_empty() {
        return Err("its image has no name: save it by name and tag".into());
    }
    Ok(ImageArchive { names, id, size })
}

fn tar_member(path: &Path, name: &str) -> Option<Vec<u8>> {
    let mut archive = tar::Archive::new(File::open(path).ok()?);
    let mut entries = archive.entries_with_seek().ok()?;
    let entry = entries.find_map(|entry| {
        let entry = entry.ok()?;
        let found =
            entry.path().ok()?.strip_prefix("./").map_or_else(|_| entry.path().ok().map(|p| p.to_path_buf()), |p| Some(p.to_path_buf()))?;
        (found == Path::new(name)).then_some(entry)
    })?;
    let mut bytes = Vec::new();
    entry.take(CAP).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

fn folder_size(path: &Path) -> std::io::Result<u64> {
    std::fs::read_dir(path)?.try_fold(0, |sum, entry| {
        let entry = entry?;
        let meta = entry.metadata()?;
        Ok(sum + if meta.is_dir() { folder_size(&entry.path())? } else { meta.len() })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn docker_tar(folder: &Path, manifest: &str) -> std::path::PathBuf {
        let path = folder.join("image.tar");
        let mut tar = tar::Builder::new(File::create(&path).unwrap());
        for (name, content) in [("abc.json", "{}"), ("manifest.json", manifest)] {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            tar.append_data(&mut header, name, content.as_bytes()).unwrap();
        }
        tar.finish().unwrap();
        path
    }

    #[test]
    fn a_docker_archive_is_known_by_its_config() {
        let folder = tempfile::tempdir().unwrap();
        let path = docker_tar(folder.path(), r#"[{"Config":"abc.json","RepoTags":["shop/web:1"],"Layers":[]}]"#);
        let image = read(&path).unwrap();
        assert_eq!(image.names, ["docker.io/shop/web:1"]);
        assert_eq!(image.id, "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
    }

    #[test]
    fn what_is_wrong_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let said = |manifest: &str| read(&docker_tar(folder.path(), manifest)).unwrap_err();
        assert!(said(r#"[{"Config":"gone.json","RepoTags":["a"]}]"#).contains("is cut"));
        assert!(said(r#"[{"Config":"abc.json","RepoTags":null}]"#).contains("no name"));
        assert!(said(r#"[{"Config":"abc.json"},{"Config":"abc.json"}]"#).contains("2 images"));
    }

    #[test]
    fn an_oci_folder_is_known_by_its_config() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = folder.path().join("blobs/sha256");
        std::fs::create_dir_all(&blobs).unwrap();
        std::fs::write(blobs.join("11"), r#"{"config":{"digest":"sha256:22"}}"#).unwrap();
        let index = r#"{"manifests":[{"digest":"sha256:11","annotations":{"org.opencontainers.image.ref.name":"shop/web:1"}}]}"#;
        std::fs::write(folder.path().join("index.json"), index).unwrap();
        let image = read(folder.path()).unwrap();
        assert_eq!((image.names.as_slice(), image.id.as_str()), (["docker.io/shop/web:1".to_owned()].as_slice(), "sha256:22"));
    }
}
