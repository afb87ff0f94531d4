//! A registry's images, pulled as OCI layouts. A blob gets its name only once its digest is right; what is there and still right is not pulled
//! again.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::json;
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

use super::layout::{CAP, NAME, digest, is_digest};
use super::oci::{self, CONFIG, LAYER, Leads, MANIFEST, Way};
use super::platform::Descriptor;
use super::registry::Registry;
use super::store::{Fetched, forget, temp};
use crate::model::{Blob, ImageArchive, full_reference};

/// What an image is: its manifest and config are pulled, its layers are not.
pub(super) async fn ask(name: &str, arch: &str, kept: &Path) -> Result<Option<ImageArchive>, String> {
    let registry = Registry::of(name).await?;
    describe(&registry, name, arch, kept).await
}

/// Where its layout lies, whole. Blobs of older ones are forgotten.
pub(super) async fn fetch(name: &str, arch: &str, kept: &Path, sent: Fetched<'_>) -> Result<PathBuf, String> {
    let registry = Registry::of(name).await?;
    let image = describe(&registry, name, arch, kept).await?.ok_or("it is gone")?;
    let done = AtomicU64::new(0);
    let count = |bytes| sent(done.fetch_add(bytes, Ordering::Relaxed) + bytes, image.size);
    for blob in &image.blobs {
        match place(kept, &blob.digest)? {
            there if whole(&there, &blob.digest).await => count(blob.size),
            lacking => pull(&registry, &blob.digest, blob.size, &lacking, &count).await?,
        }
    }
    let manifest = image.blobs.first().ok_or("it has no manifest")?;
    let entries = image.names.iter().map(
        |name| json!({ "mediaType": manifest.media_type, "digest": manifest.digest, "size": manifest.size, "annotations": { NAME: name } }),
    );
    let index = json!({ "schemaVersion": 2, "mediaType": oci::INDEX, "manifests": entries.collect::<Vec<_>>() }).to_string();
    keep(&kept.join("index.json"), index.as_bytes())?;
    let wanted: BTreeSet<PathBuf> = image.blobs.iter().map(|blob| place(kept, &blob.digest)).collect::<Result<_, _>>()?;
    forget(&kept.join("blobs/sha256"), |file| wanted.contains(file))?;
    Ok(kept.to_owned())
}

async fn describe(registry: &Registry, name: &str, arch: &str, kept: &Path) -> Result<Option<ImageArchive>, String> {
    let Some(mut text) = registry.manifest(None).await? else { return Ok(None) };
    let mut way = Way::to(arch);
    let found = loop {
        match way.on(&text)? {
            Leads::Here(manifest) => break manifest,
            Leads::To(Descriptor { digest: wanted, .. }) => {
                text = registry.manifest(Some(&wanted)).await?.ok_or_else(|| format!("it lacks {wanted}, which its index names"))?;
                if digest(&text) != wanted {
                    return Err(format!("what it holds as {wanted} is {}", digest(&text)));
                }
            }
        }
    };
    let manifest = Blob {
        digest: digest(&text),
        media_type: found.media_type.clone().unwrap_or_else(|| MANIFEST.into()),
        size: text.len() as u64,
        diff_id: None,
    };
    keep(&place(kept, &manifest.digest)?, &text)?;
    let config = found.config.clone();
    if config.size > CAP {
        return Err(format!("{} bytes are too many for a config", config.size));
    }
    let there = place(kept, &config.digest)?;
    if !whole(&there, &config.digest).await {
        pull(registry, &config.digest, config.size, &there, &|_| {}).await?;
    }
    let layers = found.layers(&fs::read(&there).map_err(|error| format!("read {}: {error}", there.display()))?, arch)?;
    let blob = |of: Descriptor, kind: &str, diff_id| Blob {
        media_type: of.media_type.unwrap_or_else(|| kind.into()),
        digest: of.digest,
        size: of.size,
        diff_id,
    };
    let id = config.digest.clone();
    let mut blobs = vec![manifest, blob(config, CONFIG, None)];
    for (layer, diff_id) in layers {
        // An empty layer may be there twice.
        if !blobs.iter().any(|blob| blob.digest == layer.digest) {
            blobs.push(blob(layer, LAYER, Some(diff_id)));
        }
    }
    let size = blobs
        .iter()
        .try_fold(0, |sum: u64, blob| sum.checked_add(blob.size))
        .ok_or("its manifest tells of more bytes than there can be")?;
    Ok(Some(ImageArchive { names: vec![full_reference(name)?], id, size, blobs }))
}

async fn pull(registry: &Registry, digest: &str, size: u64, to: &Path, sent: &(dyn Fn(u64) + Send + Sync)) -> Result<(), String> {
    let mut temp = beside(to)?;
    registry.blob(digest, size, &mut temp, sent).await?;
    temp.as_file().sync_all().map_err(|error| unwritten(to, &error))?;
    temp.persist(to).map(drop).map_err(|error| unwritten(to, &error.error))
}

fn keep(path: &Path, text: &[u8]) -> Result<(), String> {
    let mut temp = beside(path)?;
    io::Write::write_all(&mut temp, text).and_then(|()| temp.as_file().sync_all()).map_err(|error| unwritten(path, &error))?;
    temp.persist(path).map(drop).map_err(|error| unwritten(path, &error.error))
}

/// Whether a blob lies there as it was pulled: it may have been cut or changed since, and is then pulled again.
async fn whole(path: &Path, digest: &str) -> bool {
    let path = path.to_owned();
    let read = tokio::task::spawn_blocking(move || {
        let mut sum = Sha256::new();
        fs::File::open(path).and_then(|mut file| io::copy(&mut file, &mut sum)).map(|_| format!("sha256:{:x}", sum.finalize()))
    });
    matches!(read.await, Ok(Ok(is)) if is == digest)
}

fn beside(path: &Path) -> Result<NamedTempFile, String> {
    let folder = path.parent().unwrap_or(path);
    temp(folder).map_err(|error| unwritten(folder, &error))
}

fn unwritten(path: &Path, error: &io::Error) -> String {
    format!("write to {}: {error}", path.display())
}

fn place(kept: &Path, digest: &str) -> Result<PathBuf, String> {
    match digest.strip_prefix("sha256:") {
        Some(hex) if is_digest(digest) => Ok(kept.join("blobs/sha256").join(hex)),
        _ => Err(format!("{digest:?} is no sha256 digest")),
    }
}
