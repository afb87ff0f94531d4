//! A docker-archive, as `docker save` writes it.

use std::io::{self, Read as _};

use serde::Deserialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::layout::{Bytes, Found, digest};
use super::members::{Members, Stretch, packer};
use super::oci::{self, CONFIG, GZIP, LAYER, MANIFEST, ZSTD};
use crate::model::{Blob, full_reference};

/// An image of `manifest.json`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Image {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    layers: Vec<String>,
}

/// Reads the archive's one image.
pub(super) fn read(members: &Members, manifest: &Stretch, arch: &str) -> Result<Found, String> {
    let mut images: Vec<Image> = serde_json::from_slice(&manifest.text()?).map_err(|error| format!("manifest.json: {error}"))?;
    let image = match images.len() {
        1 => images.remove(0),
        0 => return Err("manifest.json names no image".into()),
        several => return Err(format!("it holds {several} images; save one image a file")),
    };
    let text = members.get(&image.config)?.ok_or_else(|| format!("it lacks its config {}: the archive is cut", image.config))?.text()?;
    let diffs = oci::diff_ids(&text, arch)?;
    if diffs.len() != image.layers.len() {
        return Err(format!("its config tells of {} layers, manifest.json of {}", diffs.len(), image.layers.len()));
    }
    let mut layers = Vec::new();
    for (name, diff_id) in image.layers.iter().zip(diffs) {
        let stretch = members.get(name)?.ok_or_else(|| format!("it lacks its layer {name}: the archive is cut"))?;
        layers.push((layer(&stretch, diff_id).map_err(|error| format!("{name}: {error}"))?, stretch.bytes()));
    }
    let config = Blob { digest: digest(&text), media_type: CONFIG.into(), size: text.len() as u64, diff_id: None };
    let named = |blob: &Blob| json!({ "mediaType": blob.media_type, "digest": blob.digest, "size": blob.size });
    let below: Vec<_> = layers.iter().map(|(blob, _)| named(blob)).collect();
    // The same bytes for the same image: hosts know it by their digest.
    let ours = json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": named(&config), "layers": below }).to_string().into_bytes();
    let manifest = Blob { digest: digest(&ours), media_type: MANIFEST.into(), size: ours.len() as u64, diff_id: None };
    let names = image.repo_tags.unwrap_or_default().iter().map(|tag| full_reference(tag)).collect::<Result<_, _>>()?;
    Ok(Found { names, manifest: (manifest, Bytes::Made(ours)), config: (config, Bytes::Made(text)), layers })
}

/// A plain layer is called by its diff id; a packed one has to be hashed.
fn layer(stretch: &Stretch, diff_id: String) -> io::Result<Blob> {
    let mut magic = Vec::new();
    stretch.bytes().reader()?.take(4).read_to_end(&mut magic)?;
    let packed = match packer(&magic) {
        Some("gzip") => GZIP,
        Some(_) => ZSTD,
        None => return Ok(Blob { digest: diff_id.clone(), media_type: LAYER.into(), size: stretch.size, diff_id: Some(diff_id) }),
    };
    let mut hash = Sha256::new();
    io::copy(&mut stretch.bytes().reader()?, &mut hash)?;
    let digest = format!("sha256:{:x}", hash.finalize());
    Ok(Blob { digest, media_type: packed.into(), size: stretch.size, diff_id: Some(diff_id) })
}
