//! Layers that were sent, plain, on this machine: of the next image of that repository only what differs from them goes over the line.
//! A cache: removing it costs bytes on the line, and nothing else.

use std::fs::{self, File};
use std::io::{self, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use etcetera::BaseStrategy as _;

use super::layout::{Layout, digest, is_digest};
use crate::model::{Blob, ImageArchive};

/// Most bytes that are kept; the oldest go.
const MOST: u64 = 2 << 30;
/// Sizes of layers for which it is worth its while, and which memory can hold.
const WORTH: std::ops::RangeInclusive<u64> = 256 << 10..=Kept::LARGEST;
/// Images of a repository that are noted.
const FORMER: usize = 4;
/// Stands between the layers of one and those of the next.
const BETWEEN: &str = "\n\n";
/// Bytes that are copied at a time.
const CHUNK: usize = 128 << 10;

/// The folder.
#[derive(Clone, Debug)]
pub struct Kept(PathBuf);

impl Kept {
    /// Bytes of the largest layer that is kept.
    pub const LARGEST: u64 = 256 << 20;

    /// In the user's cache folder; none: the user has no home.
    #[must_use]
    pub fn here() -> Option<Self> {
        etcetera::choose_base_strategy().ok().map(|places| Self(places.cache_dir().join("bedplate/layers")))
    }

    /// The layer that is most like one of `image`: of the image of that repository that was sent last of those of which the host has layers,
    /// and nearest in size and place. `held` tells what the host has.
    #[must_use]
    pub fn base(&self, image: &ImageArchive, blob: &Blob, held: impl Fn(&str) -> bool) -> Option<String> {
        if !suits(blob) {
            return None;
        }
        let place = layers(image).position(|layer| layer.digest == blob.digest)?;
        let former = fs::read_to_string(self.former(image)?).ok()?;
        former.split(BETWEEN).find_map(|layers| {
            let mut found = Vec::new();
            for (at, digest) in layers.lines().filter(|line| is_digest(line)).enumerate() {
                let same = image.blobs.iter().any(|blob| blob.digest == digest);
                if let Some(size) = self.path(digest).and_then(|path| path.metadata().ok()).filter(|_| !same && held(digest)) {
                    found.push((size.len().abs_diff(blob.size), at.abs_diff(place), digest));
                }
            }
            found.into_iter().min().map(|(_, _, digest)| digest.to_owned())
        })
    }

    /// A layer's bytes.
    ///
    /// # Errors
    /// It is not there, or spoilt; then it goes.
    pub fn read(&self, wanted: &str) -> io::Result<Vec<u8>> {
        let path = self.path(wanted).ok_or(io::ErrorKind::InvalidInput)?;
        let bytes = fs::read(&path)?;
        if digest(&bytes) != wanted {
            fs::remove_file(&path)?;
            return Err(io::ErrorKind::InvalidData.into());
        }
        spare(&path)?;
        Ok(bytes)
    }

    /// Keeps an image's layers.
    ///
    /// # Errors
    /// The disk or the archive.
    pub fn keep(&self, layout: &Layout) -> io::Result<()> {
        fs::create_dir_all(&self.0)?;
        let put = layers(layout.image()).filter(|layer| suits(layer)).try_for_each(|layer| self.put(layout, layer));
        // On a full disk, too.
        self.trim().and(put)
    }

    /// Notes that an image's layers were the last of their repository. Other hosts, of this run or of another cluster, may have those before
    /// them: of some images they stay noted.
    ///
    /// # Errors
    /// The disk.
    pub fn note(&self, image: &ImageArchive) -> io::Result<()> {
        let Some(former) = self.former(image) else { return Ok(()) };
        let last = layers(image).map(|layer| layer.digest.as_str()).collect::<Vec<_>>().join("\n");
        let noted = fs::read_to_string(&former).unwrap_or_default();
        let others = noted.split(BETWEEN).map(str::trim).filter(|layers| *layers != last && !layers.is_empty());
        let all: Vec<&str> = std::iter::once(last.as_str()).chain(others).take(FORMER).collect();
        let mut temp = tempfile::NamedTempFile::new_in(&self.0)?;
        temp.write_all(all.join(BETWEEN).as_bytes())?;
        temp.persist(former)?;
        Ok(())
    }

    fn put(&self, layout: &Layout, layer: &Blob) -> io::Result<()> {
        let Some(path) = self.path(&layer.digest) else { return Ok(()) };
        if path.exists() {
            return spare(&path);
        }
        let mut temp = tempfile::NamedTempFile::new_in(&self.0)?;
        // What is not what it is called fails at its end, and is nobody's base.
        io::copy(&mut BufReader::with_capacity(CHUNK, layout.blob(&layer.digest)?), &mut temp)?;
        temp.persist(path)?;
        Ok(())
    }

    fn trim(&self) -> io::Result<()> {
        let mut files: Vec<(SystemTime, u64, PathBuf)> = Vec::new();
        for entry in fs::read_dir(&self.0)? {
            let (path, meta) = entry.and_then(|entry| Ok((entry.path(), entry.metadata()?)))?;
            files.push((meta.modified()?, meta.len(), path));
        }
        files.sort();
        let mut bytes: u64 = files.iter().map(|(_, size, _)| size).sum();
        for (_, size, path) in files {
            if bytes > MOST {
                fs::remove_file(path)?;
                bytes -= size;
            }
        }
        Ok(())
    }

    fn path(&self, digest: &str) -> Option<PathBuf> {
        digest.strip_prefix("sha256:").map(|hex| self.0.join(hex))
    }

    /// Where the layers of a repository's last images are listed, the last one first.
    fn former(&self, image: &ImageArchive) -> Option<PathBuf> {
        let name = image.names.first()?;
        let repository = name.rsplit_once(':').map_or(name.as_str(), |(repository, _)| repository);
        self.path(&digest(repository.as_bytes())).map(|path| path.with_extension("last"))
    }
}

/// What was used now is the last to go.
fn spare(path: &Path) -> io::Result<()> {
    File::options().append(true).open(path)?.set_modified(SystemTime::now())
}

fn layers(image: &ImageArchive) -> impl Iterator<Item = &Blob> {
    image.blobs.iter().filter(|blob| blob.diff_id.is_some())
}

/// Only plain layers are alike where their files are.
fn suits(blob: &Blob) -> bool {
    blob.diff_id.as_ref() == Some(&blob.digest) && WORTH.contains(&blob.size)
}

#[cfg(test)]
#[path = "kept_tests.rs"]
mod tests;
