//! An OCI layout (image-spec v1.1: image-layout, image-index, manifest, config).

use std::collections::BTreeMap;

use serde::Deserialize;

use super::layout::Found;
use super::members::Members;
use super::reference::full;
use crate::model::Blob;

pub(super) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(super) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(super) const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub(super) const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
pub(super) const GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
pub(super) const ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";

/// An index or a manifest: what of it matters here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    #[serde(default)]
    media_type: Option<String>,
    #[serde(default)]
    manifests: Vec<Descriptor>,
    config: Option<Descriptor>,
    #[serde(default)]
    layers: Vec<Descriptor>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    #[serde(default)]
    media_type: Option<String>,
    digest: String,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

/// Reads the layout's one image.
pub(super) fn read(members: &Members) -> Result<Found, String> {
    let index = members.get("index.json").ok_or("it holds neither manifest.json nor index.json: no docker-archive, no OCI layout")?;
    let document = parse(&index.text()?)?;
    let mut entry = match document.manifests.as_slice() {
        [_] => document.manifests.into_iter().next().ok_or("index.json names no image")?,
        entries => return Err(format!("index.json names {} images; save one image a file", entries.len())),
    };
    let name = ["io.containerd.image.name", "org.opencontainers.image.ref.name"].iter().find_map(|key| entry.annotations.get(*key));
    let names = name.map(|name| full(name)).into_iter().collect();
    for _ in 0..3 {
        let stretch = members.blob(&entry.digest)?;
        let mut document = parse(&stretch.text()?)?;
        if let Some(config) = document.config.take() {
            let media_type = entry.media_type.or(document.media_type).unwrap_or_else(|| MANIFEST.into());
            let manifest = (Blob { digest: entry.digest, media_type, size: stretch.size, diff_id: None }, stretch.bytes());
            return image(members, names, manifest, config, document.layers);
        }
        entry = document.manifests.into_iter().next().ok_or("an index in it is empty")?;
    }
    Err("its indexes are nested too deeply".into())
}

fn image(
    members: &Members,
    names: Vec<String>,
    manifest: (Blob, super::layout::Bytes),
    config: Descriptor,
    layers: Vec<Descriptor>,
) -> Result<Found, String> {
    let stretch = members.blob(&config.digest)?;
    let diffs = diff_ids(&stretch.text()?)?;
    if diffs.len() != layers.len() {
        return Err(format!("its config tells of {} layers, its manifest of {}", diffs.len(), layers.len()));
    }
    let blob = |of: Descriptor, kind: &str, diff_id| {
        let stretch = members.blob(&of.digest)?;
        let media_type = of.media_type.unwrap_or_else(|| kind.into());
        Ok((Blob { digest: of.digest, media_type, size: stretch.size, diff_id }, stretch.bytes()))
    };
    let layers = layers.into_iter().zip(diffs).map(|(layer, diff_id)| blob(layer, LAYER, Some(diff_id)));
    let layers = layers.collect::<Result<_, String>>()?;
    Ok(Found { names, manifest, config: blob(config, CONFIG, None)?, layers })
}

/// The digests of a config's layers when unpacked, from the lowest up.
pub(super) fn diff_ids(config: &[u8]) -> Result<Vec<String>, String> {
    #[derive(Deserialize)]
    struct Config {
        rootfs: RootFs,
    }
    #[derive(Deserialize)]
    struct RootFs {
        diff_ids: Vec<String>,
    }
    let config: Config = serde_json::from_slice(config).map_err(|error| format!("its config: {error}"))?;
    Ok(config.rootfs.diff_ids)
}

fn parse(text: &[u8]) -> Result<Document, String> {
    serde_json::from_slice(text).map_err(|error| error.to_string())
}
