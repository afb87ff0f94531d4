//! An archive as an OCI layout, whatever it is on disk: one manifest, one config, and layers that are read by digest. A docker-archive
//! has no manifest of OCI's kind, so it gets one of ours; its plain layers are called by their diff ids.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::blob::Checked;
use super::members::{Members, Stretch};
use super::{docker, oci};
use crate::model::{Blob, ImageArchive};

/// containerd calls an image by this annotation (containerd: core/images/annotations.go).
pub(super) const NAME: &str = "io.containerd.image.name";
/// Larger texts than this are no manifest.
pub(super) const CAP: u64 = 4 << 20;

/// An archive that was opened. Its layers are read when they are asked for, and checked then.
#[derive(Debug)]
pub struct Layout {
    image: ImageArchive,
    manifest: Value,
    blobs: BTreeMap<String, Bytes>,
}

/// Where a blob's bytes are.
#[derive(Clone, Debug)]
pub(super) enum Bytes {
    At(Stretch),
    Made(Vec<u8>),
}

/// What was found in an archive, of whichever kind.
pub(super) struct Found {
    pub(super) names: Vec<String>,
    /// The manifest's own descriptor and bytes.
    pub(super) manifest: (Blob, Bytes),
    pub(super) config: (Blob, Bytes),
    /// From the lowest up.
    pub(super) layers: Vec<(Blob, Bytes)>,
}

/// Opens a docker-archive, an OCI tar or an OCI folder: its image for machines of `arch`, as the vendors call it.
///
/// # Errors
/// In words: it can't be read, is no archive, holds no image, several, or none for `arch`, lacks a blob, or its image has no name.
pub fn open(path: &Path, arch: &str) -> Result<Layout, String> {
    let members = Members::of(path)?;
    // Newer Dockers write both: theirs names the image, the other may name its attestations, too.
    let found = match members.get("manifest.json")? {
        Some(manifest) if !path.is_dir() => docker::read(&members, &manifest, arch)?,
        _ => oci::read(&members, arch)?,
    };
    Layout::of(found)
}

/// What an archive holds.
///
/// # Errors
/// As [`open`].
pub fn read(path: &Path, arch: &str) -> Result<ImageArchive, String> {
    open(path, arch).map(|layout| layout.image)
}

impl Layout {
    fn of(found: Found) -> Result<Self, String> {
        let Found { names, manifest, config, layers } = found;
        if names.is_empty() {
            return Err("its image has no name: save it by name and tag".into());
        }
        let id = config.0.digest.clone();
        let entry = json!({ "mediaType": manifest.0.media_type, "digest": manifest.0.digest, "size": manifest.0.size });
        let mut image = ImageArchive { names, id, size: 0, blobs: Vec::new() };
        let mut blobs = BTreeMap::new();
        for (blob, bytes) in [manifest, config].into_iter().chain(layers) {
            if !is_digest(&blob.digest) {
                return Err(format!("{:?} is no sha256 digest", blob.digest));
            }
            // An empty layer may be there twice.
            if blobs.insert(blob.digest.clone(), bytes).is_none() {
                image.size += blob.size;
                image.blobs.push(blob);
            }
        }
        Ok(Self { image, manifest: entry, blobs })
    }

    /// The same image under these names.
    #[must_use]
    pub fn called(mut self, names: &[String]) -> Self {
        self.image.names = names.to_vec();
        self
    }

    /// What it holds.
    #[must_use]
    pub fn image(&self) -> &ImageArchive {
        &self.image
    }

    /// One blob, to be read from its first byte. Reading fails at its end if it is not what its digest says, or before if it is a bomb.
    ///
    /// # Errors
    /// There is no such blob, or the archive can't be read any more.
    pub fn blob(&self, digest: &str) -> io::Result<Box<dyn Read + Send>> {
        let absent = || io::Error::new(io::ErrorKind::NotFound, format!("the archive lacks {digest}"));
        let blob = self.image.blobs.iter().find(|blob| blob.digest == digest).ok_or_else(absent)?;
        let bytes = self.blobs.get(digest).ok_or_else(absent)?.reader()?;
        // By its first bytes it is told how it is packed: they come together, however few are asked for.
        Ok(Box::new(BufReader::new(Checked::new(bytes, blob.clone()))))
    }

    /// An `index.json` that calls the image by all of its names.
    #[must_use]
    pub fn index(&self) -> Vec<u8> {
        let named = |name: &String| {
            let mut entry = self.manifest.clone();
            entry["annotations"] = json!({ NAME: name });
            entry
        };
        let manifests: Vec<Value> = self.image.names.iter().map(named).collect();
        json!({ "schemaVersion": 2, "mediaType": oci::INDEX, "manifests": manifests }).to_string().into_bytes()
    }
}

impl Bytes {
    pub(super) fn reader(&self) -> io::Result<Box<dyn Read + Send>> {
        match self {
            Self::At(Stretch { file, offset, size }) => {
                let mut file = File::open::<&PathBuf>(file)?;
                file.seek(SeekFrom::Start(*offset))?;
                Ok(Box::new(file.take(*size)))
            }
            Self::Made(bytes) => Ok(Box::new(io::Cursor::new(bytes.clone()))),
        }
    }
}

/// Whether it is `sha256:` and 64 hex digits: it becomes the name of a file.
pub(super) fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')))
}

/// The digest of some bytes.
pub fn digest(bytes: &[u8]) -> String {
    format!("sha256:{:x}", Sha256::digest(bytes))
}
