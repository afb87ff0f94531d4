//! One try to bring an image to a host.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::archive::Archive;
use super::delta::Deltas;
use super::held::{self, Held};
use super::import::{self, Import};
use super::lacking::{Lacking, Sorted};
use super::opened::Opened;
use super::summary::Summary;
use super::wire::{self, Fed, Give, Load};
use super::{SHORT, job, patience, unpack};
use crate::images::Kept;
use crate::model::{Answer, Blob};
use crate::remote::Remote;
use crate::remote::ask::images as listed;
use crate::remote::error::{Error, last_lines};
use crate::remote::perform::Sent;
use crate::remote::perform::spool::{ARRIVED, FOLDER, Part};
use crate::remote::shell::Parcel;

/// What lies in the spool of an image by its end.
struct Come<'a> {
    /// Makes some of it of what the host holds.
    made: String,
    blobs: Vec<(&'a Blob, Vec<Part>)>,
}

impl Remote {
    /// Sends what is missing and imports it: what went, and what images the CRI told of then. What is like something on the host goes first, as
    /// what differs; the rest while containerd takes in what has come. Without `kept` nothing is made from what lies on the host.
    pub(super) async fn moved(&self, what: &str, opened: &Opened, kept: Option<&Kept>, sent: Sent<'_>) -> Result<(Summary, Answer), Error> {
        let image = opened.layout.image();
        let mut held = self.held().await?;
        if kept.is_none() {
            held.packed.clear();
        }
        let full = |why| Error::Full(format!("{why}; {FOLDER} holds what pushes left that were cut"));
        let lacking = Lacking::of(image, &held).map_err(full)?;
        let arriving = lacking.arriving();
        let deltas = Deltas::on(&held, kept, arriving);
        let Sorted { alike, other, mut whole } = lacking.sorted(image, deltas.as_ref());
        let load = Load { layout: Arc::clone(&opened.layout), codec: held.codec, shared: self.shared.clone() };
        let done = AtomicU64::new(image.size - arriving);
        let told = |more| sent(done.fetch_add(more, Ordering::Relaxed) + more, image.size);
        told(0);
        let begun = Instant::now();

        let first: u64 = alike.iter().map(|(_, parts, _)| parts.lacking()).sum();
        let (differ, of) = (load.clone(), alike.clone());
        let feed = move |give: &Give| deltas.map(|deltas| differ.differing(&of, &deltas, give)).unwrap_or_default();
        let (fed, changes) = self.fed(None, feed, first, &told).await?;
        whole.extend(fed.iter().filter_map(|fed| fed.whole));

        let mut come = Come { made: String::new(), blobs: Vec::new() };
        for ((blob, ..), Fed { parts, made, .. }) in alike.iter().zip(fed) {
            come.made.extend(made);
            come.blobs.push((blob, parts));
        }
        for (blob, packed) in &lacking.packed {
            come.made += &unpack::script(blob, packed);
            come.blobs.push((blob, vec![Part { offset: 0, size: blob.size }]));
        }
        come.blobs.extend(other.iter().map(|(blob, parts)| (blob, parts.all())));
        let job = job::folder();
        let importing = self.importing(what, &job, opened, &come).await?;
        let rest = other.clone();
        let feed = move |give: &Give| rest.iter().all(|(blob, parts)| load.whole(blob, &parts.missing, give));
        let (_, bytes) = self.fed(Some(importing), feed, arriving - first, &told).await?;
        let took = begun.elapsed();
        let keeping = async {
            if let Some(kept) = kept {
                opened.keep(kept).await;
            }
        };
        // Not before: reading and packing want this machine, too.
        let (images, ()) = tokio::join!(self.end_import(&job, patience(image.size)), keeping);
        Ok((Summary { image: image.size, arriving, bytes: changes + bytes, took, whole }, images?))
    }

    async fn held(&self) -> Result<Held, Error> {
        let output = self.run_alone(&held::script(), SHORT).await?;
        let text = output.text();
        output.succeeded()?;
        held::parse(&text).ok_or_else(|| Error::Amiss(format!("what lies there is told in other words: {}", last_lines(&text))))
    }

    /// Sends what is fed, of `size` bytes, behind `ahead`: what came of the feeding, and how many bytes that took.
    async fn fed<T: Send + 'static>(
        &self,
        ahead: Option<Parcel>,
        feed: impl FnOnce(&Give) -> T + Send + 'static,
        size: u64,
        told: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<(T, u64), Error> {
        let (parcels, fed) = wire::parcels(feed);
        let streamed = self.stream(ahead, parcels, size, ARRIVED, told).await;
        let bytes = self.gave_way(streamed).await?;
        Ok((fed.await.map_err(|error| Error::Here(error.to_string()))?, bytes))
    }

    /// What begins to import what comes: a job that lies in that folder.
    async fn importing(&self, what: &str, job: &str, opened: &Opened, come: &Come<'_>) -> Result<Parcel, Error> {
        let image = opened.layout.image();
        let archive = Archive::of(&opened.layout.index(), come.blobs.iter().map(|(blob, _)| *blob));
        let archive = archive.map_err(|error| Error::here("write the image's archive", &error))?;
        let import = Import { names: &image.names, made: &come.made, sent: &come.blobs, all: &image.blobs, patience: patience(image.size) };
        let script = self.with_log(what, &import::script(&import, &archive)).await?;
        Ok(Parcel { script: job::start(job, &script), payload: archive.bytes, size: 0 })
    }

    /// Everything has come: waits for the import's end, and what images the CRI told of then.
    async fn end_import(&self, job: &str, limit: Duration) -> Result<Answer, Error> {
        self.unbarred()?;
        let imported = self.run_alone(&job::end(job, limit), 2 * limit).await.and_then(|output| {
            let images = listed::parse(&output);
            output.succeeded().map(|()| images)
        });
        self.gave_way(imported).await
    }
}
