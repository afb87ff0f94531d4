//! An OCI layout (image-spec v1.1: image-layout, image-index, manifest, config).

use std::collections::BTreeSet;

use serde::Deserialize;

use super::layout::Found;
use super::members::Members;
use super::platform::{self, Descriptor, pick};
use super::reference::full;
use crate::model::Blob;

pub(super) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(super) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(super) const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub(super) const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
pub(super) const GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
pub(super) const ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";
/// Indexes that may lead from one to the next.
pub(super) const NESTED: usize = 3;

/// An index or a manifest: what of it matters here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Document {
    #[serde(default)]
    pub(super) media_type: Option<String>,
    #[serde(default)]
    pub(super) manifests: Vec<Descriptor>,
    pub(super) config: Option<Descriptor>,
    #[serde(default)]
    pub(super) layers: Vec<Descriptor>,
}

/// Reads the layout's one image.
pub(super) fn read(members: &Members, arch: &str) -> Result<Found, String> {
    let index = members.get("index.json")?.ok_or("it holds neither manifest.json nor index.json: no docker-archive, no OCI layout")?;
    let document = parse(&index.text()?)?;
    let named: BTreeSet<&str> = document.manifests.iter().filter_map(name).collect();
    let digests: BTreeSet<&str> = document.manifests.iter().map(|entry| entry.digest.as_str()).collect();
    if named.len() > 1 && digests.len() > 1 {
        return Err(format!("index.json names {} images; save one image a file", named.len()));
    }
    let names = named.into_iter().map(full).collect::<Result<_, _>>()?;
    let mut entry = pick(&document.manifests, arch)?.clone();
    for _ in 0..NESTED {
        let (stretch, text) = members.document(&entry.digest)?;
        let mut document = parse(&text)?;
        if let Some(config) = document.config.take() {
            let media_type = entry.media_type.or(document.media_type).unwrap_or_else(|| MANIFEST.into());
            let manifest = (Blob { digest: entry.digest, media_type, size: stretch.size, diff_id: None }, stretch.bytes());
            return image(members, names, manifest, config, document.layers, arch);
        }
        entry = pick(&document.manifests, arch)?.clone();
    }
    Err("its indexes are nested too deeply".into())
}

/// What an entry of an index calls its image.
fn name(entry: &Descriptor) -> Option<&str> {
    ["io.containerd.image.name", "org.opencontainers.image.ref.name"].iter().find_map(|key| entry.annotations.get(*key)).map(String::as_str)
}

fn image(
    members: &Members,
    names: Vec<String>,
    manifest: (Blob, super::layout::Bytes),
    config: Descriptor,
    layers: Vec<Descriptor>,
    arch: &str,
) -> Result<Found, String> {
    let (_, text) = members.document(&config.digest)?;
    let diffs = diff_ids(&text, arch)?;
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

/// The digests of a config's layers when unpacked, from the lowest up. The config must be for `arch`.
pub(super) fn diff_ids(config: &[u8], arch: &str) -> Result<Vec<String>, String> {
    #[derive(Deserialize)]
    struct Config {
        #[serde(default)]
        architecture: String,
        rootfs: RootFs,
    }
    #[derive(Deserialize)]
    struct RootFs {
        diff_ids: Vec<String>,
    }
    let config: Config = serde_json::from_slice(config).map_err(|error| format!("its config: {error}"))?;
    platform::fits(&config.architecture, arch)?;
    Ok(config.rootfs.diff_ids)
}

pub(super) fn parse(text: &[u8]) -> Result<Document, String> {
    serde_json::from_slice(text).map_err(|error| error.to_string())
}
