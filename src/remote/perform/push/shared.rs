//! An archive is opened once for several hosts. Blobs that they lack are read and packed once: for the first that wants one, and kept packed
//! until the run ends.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use etcetera::BaseStrategy as _;
use tempfile::TempDir;
use tokio::sync::{OnceCell, mpsc, watch};
use tokio::task::spawn_blocking;

use super::opened::Opened;
use super::wire::{AHEAD, Codec, cut};
use crate::images::Layout;
use crate::model::{Blob, ImageImport};
use crate::remote::beside::Parcels;
use crate::remote::error::Error;
use crate::remote::perform::spool::{Part, Parts, hex};

/// What the folder is called, and when nobody can want it any more.
const PREFIX: &str = "packed-";
const OLD: Duration = Duration::from_secs(24 * 3600);

/// What the hosts of a run share.
#[derive(Default)]
pub(in crate::remote) struct Shared(Mutex<Store>);

#[derive(Default)]
struct Store {
    /// None until something is kept; gone with the run.
    folder: Option<TempDir>,
    blobs: BTreeMap<(String, Codec), watch::Receiver<Made>>,
    /// By where they lie, and what is wanted of them.
    opened: BTreeMap<(PathBuf, String), Arc<OnceCell<Arc<Opened>>>>,
}

/// How far a blob is packed.
#[derive(Clone, Debug, Default)]
struct Made {
    parts: usize,
    /// Set once there is no more to come: why, where it failed.
    end: Option<Result<(), String>>,
}

/// One blob's packed parts.
#[derive(Clone)]
pub(super) struct Packed {
    made: watch::Receiver<Made>,
    folder: PathBuf,
    blob: String,
    codec: Codec,
    /// As it is cut where nothing of it has arrived.
    parts: Vec<Part>,
}

impl Shared {
    /// An archive that may be open already.
    pub(super) async fn opened(&self, import: &ImageImport, fetched: &Path) -> Result<Arc<Opened>, Error> {
        let cell = {
            let mut store = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(store.opened.entry((fetched.to_owned(), import.id.clone())).or_default())
        };
        cell.get_or_try_init(|| Opened::of(import, fetched)).await.cloned()
    }

    /// A blob's packed parts, which may be still to come. None where there is no place to keep them.
    pub(super) fn packed(&self, layout: &Arc<Layout>, blob: &Blob, codec: Codec) -> Option<Packed> {
        let mut store = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if store.folder.is_none() {
            store.folder = folder().ok();
        }
        let folder = store.folder.as_ref()?.path().to_owned();
        let parts = Parts::of(blob.size, &[]).missing;
        let made = store.blobs.entry((blob.digest.clone(), codec)).or_insert_with(|| {
            let (told, made) = watch::channel(Made::default());
            let (give, take) = mpsc::channel(AHEAD);
            let (layout, read, missing) = (Arc::clone(layout), blob.clone(), parts.clone());
            spawn_blocking(move || cut(&layout, &read, &missing, codec, &give));
            tokio::spawn(keep(take, folder.clone(), blob.digest.clone(), codec, told));
            made
        });
        Some(Packed { made: made.clone(), folder, blob: blob.digest.clone(), codec, parts })
    }
}

impl Packed {
    /// Whether all of these are among its parts.
    pub(super) fn has(&self, wanted: &[Part]) -> bool {
        wanted.iter().all(|part| self.parts.contains(part))
    }

    /// A part, as soon as it is packed. The last one comes once the whole blob is known to be what it is called.
    pub(super) async fn part(mut self, wanted: Part) -> io::Result<Vec<u8>> {
        let place = self.parts.iter().position(|part| *part == wanted).ok_or(io::ErrorKind::NotFound)?;
        let last = place + 1 == self.parts.len();
        let end = {
            let there = |made: &Made| made.end.is_some() || (!last && made.parts > place);
            self.made.wait_for(there).await.map_err(io::Error::other)?.end.clone()
        };
        match end {
            Some(Err(why)) => Err(io::Error::other(why)),
            Some(Ok(())) | None => tokio::fs::read(path(&self.folder, &self.blob, self.codec, place)).await,
        }
    }
}

/// Writes parts down as they are packed.
async fn keep(mut parcels: Parcels, folder: PathBuf, blob: String, codec: Codec, told: watch::Sender<Made>) {
    let mut place = 0;
    let mut end = Ok(());
    while let Some(packing) = parcels.recv().await {
        let path = path(&folder, &blob, codec, place);
        let kept = async {
            let payload = packing.await.map_err(|error| error.to_string())?.payload;
            tokio::fs::write(&path, payload)
                .await
                .map_err(|error| format!("keep it packed for the other hosts in {}: {error}", path.display()))
        };
        end = kept.await;
        if end.is_err() {
            break;
        }
        place += 1;
        told.send_modify(|made| made.parts = place);
    }
    told.send_modify(|made| made.end = Some(end));
}

fn path(folder: &Path, blob: &str, codec: Codec, place: usize) -> PathBuf {
    folder.join(format!("{}.{codec:?}.{place}", hex(blob)))
}

/// In the user's cache, where there is room for images.
fn folder() -> io::Result<TempDir> {
    let cache = etcetera::choose_base_strategy().map_err(io::Error::other)?.cache_dir().join("bedplate");
    std::fs::create_dir_all(&cache)?;
    for entry in std::fs::read_dir(&cache)?.flatten() {
        let old = || entry.metadata().and_then(|meta| meta.modified()).is_ok_and(|at| at.elapsed().is_ok_and(|age| age > OLD));
        if entry.file_name().to_string_lossy().starts_with(PREFIX) && old() {
            // Of a run that was killed; if it can't go, it costs room.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
    tempfile::Builder::new().prefix(PREFIX).tempdir_in(cache)
}

#[cfg(test)]
#[path = "shared_tests.rs"]
mod tests;
