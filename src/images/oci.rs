//! An OCI layout (image-spec v1.1: image-layout, image-index, manifest, config).

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::layout::Found;
use super::members::{Members, Stretch};
use super::platform::{self, Descriptor, pick};
use crate::model::{Blob, full_reference};

pub(super) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(super) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(super) const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub(super) const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
pub(super) const GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
pub(super) const ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";
/// Indexes that may lead from one to the next.
const NESTED: usize = 3;

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

/// The way to the image for machines of one kind, from index to index.
pub(super) struct Way<'a> {
    arch: &'a str,
    left: usize,
}

/// Where a document leads.
pub(super) enum Leads {
    To(Descriptor),
    /// It is the image's manifest.
    Here(Manifest),
}

/// Of an image.
pub(super) struct Manifest {
    pub(super) media_type: Option<String>,
    pub(super) config: Descriptor,
    layers: Vec<Descriptor>,
}

impl<'a> Way<'a> {
    pub(super) const fn to(arch: &'a str) -> Self {
        Self { arch, left: NESTED }
    }

    pub(super) fn on(&mut self, text: &[u8]) -> Result<Leads, String> {
        self.past(parse(text)?)
    }

    fn past(&mut self, document: Document) -> Result<Leads, String> {
        let Document { media_type, manifests, config, layers } = document;
        if let Some(config) = config {
            return Ok(Leads::Here(Manifest { media_type, config, layers }));
        }
        self.left = self.left.checked_sub(1).ok_or("its indexes are nested too deeply")?;
        pick(&manifests, self.arch).cloned().map(Leads::To)
    }
}

impl Manifest {
    /// Its layers from the lowest up, each with what it unpacks to. The config must be for `arch`.
    pub(super) fn layers(&self, config: &[u8], arch: &str) -> Result<Vec<(Descriptor, String)>, String> {
        let diffs = diff_ids(config, arch)?;
        match (diffs.len(), self.layers.len()) {
            (told, there) if told != there => Err(format!("its config tells of {told} layers, its manifest of {there}")),
            _ => Ok(self.layers.iter().cloned().zip(diffs).collect()),
        }
    }
}

/// Reads the layout's one image.
pub(super) fn read(members: &Members, arch: &str) -> Result<Found, String> {
    let index = members.get("index.json")?.ok_or("it holds neither manifest.json nor index.json: no docker-archive, no OCI layout")?;
    let mut document = parse(&index.text()?)?;
    // Who writes into a folder anew takes the name from the former entry, and leaves that there.
    if document.manifests.iter().any(|entry| name(entry).is_some()) {
        document.manifests.retain(|entry| name(entry).is_some());
    }
    let named: BTreeMap<&str, &Descriptor> = document.manifests.iter().filter_map(|entry| Some((name(entry)?, entry))).collect();
    let digests: BTreeSet<&str> = document.manifests.iter().map(|entry| entry.digest.as_str()).collect();
    if named.len() > 1 && digests.len() > 1 {
        return Err(format!("index.json names {} images; save one image a file", named.len()));
    }
    let names = called(&named)?;
    let mut way = Way::to(arch);
    let Leads::To(mut entry) = way.past(document)? else { return Err("its index.json is no index".into()) };
    loop {
        let (stretch, text) = members.document(&entry.digest)?;
        match way.on(&text)? {
            Leads::To(next) => entry = next,
            Leads::Here(manifest) => return image(members, names, &manifest, entry, &stretch, arch),
        }
    }
}

/// Where containerd and Docker name an image in full.
const FULL: &str = "io.containerd.image.name";

/// What an entry of an index calls its image.
fn name(entry: &Descriptor) -> Option<&str> {
    [FULL, "org.opencontainers.image.ref.name"].iter().find_map(|key| entry.annotations.get(*key)).map(String::as_str)
}

/// An image's names. image-spec's own annotation may hold the tag alone, which would be taken for a repository; beside a full name it stays where
/// an image was saved a second time.
fn called(named: &BTreeMap<&str, &Descriptor>) -> Result<Vec<String>, String> {
    let is_full = |name: &str, entry: &Descriptor| entry.annotations.contains_key(FULL) || name.contains(['/', ':', '@']);
    let full: Vec<&str> = named.iter().filter(|(name, entry)| is_full(name, entry)).map(|(name, _)| *name).collect();
    match named.keys().next() {
        Some(name) if full.is_empty() => Err(format!(
            "index.json calls it `{name}` and no more, which may be a tag: save it by its full name, such as docker.io/shop/web:1"
        )),
        _ => full.into_iter().map(full_reference).collect(),
    }
}

fn image(
    members: &Members,
    names: Vec<String>,
    manifest: &Manifest,
    entry: Descriptor,
    stretch: &Stretch,
    arch: &str,
) -> Result<Found, String> {
    let (_, text) = members.document(&manifest.config.digest)?;
    let blob = |of: Descriptor, kind: &str, diff_id| {
        let stretch = members.blob(&of.digest)?;
        let media_type = of.media_type.unwrap_or_else(|| kind.into());
        Ok((Blob { digest: of.digest, media_type, size: stretch.size, diff_id }, stretch.bytes()))
    };
    let layers = manifest.layers(&text, arch)?.into_iter().map(|(layer, diff_id)| blob(layer, LAYER, Some(diff_id)));
    let layers = layers.collect::<Result<_, String>>()?;
    let media_type = entry.media_type.or_else(|| manifest.media_type.clone()).unwrap_or_else(|| MANIFEST.into());
    let itself = (Blob { digest: entry.digest, media_type, size: stretch.size, diff_id: None }, stretch.bytes());
    Ok(Found { names, manifest: itself, config: blob(manifest.config.clone(), CONFIG, None)?, layers })
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

fn parse(text: &[u8]) -> Result<Document, String> {
    serde_json::from_slice(text).map_err(|error| error.to_string())
}
