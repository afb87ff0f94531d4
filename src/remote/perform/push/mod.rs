//! Images into k3s' containerd: what it lacks goes into a spool on the host, and from there, as a layout in part, through its importer.

mod archive;
mod delta;
mod held;
mod import;
mod job;
mod lacking;
mod opened;
mod shared;
mod summary;
mod unpack;
mod wire;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use self::archive::Archive;
use self::delta::{Deltas, UNMADE};
use self::held::Held;
use self::import::Import;
use self::lacking::{Lacking, Sorted};
use self::opened::Opened;
pub(in crate::remote) use self::shared::Shared;
use self::summary::Summary;
use self::wire::{Give, Load};
use super::spool::{ARRIVED, Part};
use super::{SHORT, STRICT, Sent};
use crate::images::Kept;
use crate::model::{Answer, Blob, HostQuestion, ImageImport, ImageOnHost, Reply};
use crate::remote::Remote;
use crate::remote::ask::images as listed;
use crate::remote::error::{Error, last_lines};
use crate::remote::frame::Output;
use crate::remote::quote::quote;
use crate::remote::shell::Payload;

/// Bytes of an image that a slow disk takes in and unpacks in a second.
const SLOW: u64 = 4_000_000;
/// For the CRI to notice what containerd was given: it follows containerd's events.
const NOTICE: Duration = Duration::from_secs(10);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(200);
/// How often an image is sent: once more where the kubelet collects a layer in between, the host's disk spoils one, or its zstd can't
/// make one.
const TRIES: u32 = 2;

/// containerd's command line as k3s ships it; images of pods live in this namespace.
const K3S_CTR: &str = "/usr/local/bin/k3s ctr -n k8s.io";

impl Remote {
    pub(super) async fn import(&self, what: &str, import: &ImageImport, fetched: &Path, sent: Sent<'_>) -> Result<String, Error> {
        let opened = match &self.shared {
            Some(shared) => shared.opened(import, fetched).await?,
            None => Opened::of(import, fetched).await?,
        };
        let kept = Kept::here();
        // The second time nothing is made from what lies on the host.
        let mut tries = 1;
        let (summary, images) = loop {
            match self.moved(what, &opened, kept.as_ref().filter(|_| tries == 1), sent).await {
                Err(Error::Script { status: import::SPOILT | import::COLLECTED | UNMADE, .. }) if tries < TRIES => tries += 1,
                done => break done?,
            }
        };
        self.noticed(import, images).await?;
        // What can't be noted is sent whole the next time.
        let _ = kept.map(|kept| kept.note(opened.layout.image()));
        Ok(summary.to_string())
    }

    /// Sends what is missing and imports it: what went, and what images the CRI told of then. Without `kept` nothing is made from what lies on
    /// the host.
    async fn moved(&self, what: &str, opened: &Opened, kept: Option<&Kept>, sent: Sent<'_>) -> Result<(Summary, Answer), Error> {
        let layout = &opened.layout;
        let image = layout.image();
        let mut held = self.held().await?;
        if kept.is_none() {
            held.packed.clear();
        }
        let lacking = Lacking::of(image, &held).map_err(Error::Full)?;
        let arriving = lacking.arriving();
        let deltas = Deltas::on(&held, kept, arriving);
        let Sorted { alike, other, mut whole } = lacking.sorted(image, deltas.as_ref());
        let load = Load { layout: Arc::clone(layout), codec: held.codec, shared: self.shared.clone() };
        let done = AtomicU64::new(image.size - arriving);
        let told = |more| sent(done.fetch_add(more, Ordering::Relaxed) + more, image.size);
        told(0);
        let begun = Instant::now();

        // Only once they have gone is it known how.
        let differing = (load.clone(), alike.clone());
        let feed = move |give: &Give| deltas.map(|deltas| differing.0.differing(&differing.1, &deltas, give)).unwrap_or_default();
        let (fed, differ) = self.fed(feed, arriving, &told).await?;
        whole.extend(fed.iter().filter_map(|fed| fed.whole));
        let mut made: String = fed.iter().filter_map(|fed| fed.made.as_deref()).collect();
        let mut came: Vec<(&Blob, Vec<Part>)> = alike.iter().zip(fed).map(|((blob, ..), fed)| (blob, fed.parts)).collect();
        for (blob, packed) in &lacking.packed {
            made += &unpack::script(blob, packed);
            came.push((blob, vec![Part { offset: 0, size: blob.size }]));
        }
        came.extend(other.iter().map(|(blob, parts)| (blob, parts.all())));

        // The others go while what has come is imported.
        let archive = Archive::of(&layout.index(), came.iter().map(|(blob, _)| *blob));
        let archive = archive.map_err(|error| Error::here("write the image's archive", &error))?;
        let patience = patience(image.size);
        let import = Import { names: &image.names, made: &made, sent: &came, all: &image.blobs, importer: held.importer, patience };
        let import = self.with_log(what, &import::script(&import, &archive)).await?;
        let payload = Payload { from: &mut &*archive.bytes, size: archive.bytes.len() as u64, sent: &|_, _| {} };
        let started = self.run(&job::start(&import), payload, SHORT).await.and_then(Output::succeeded);
        self.gave_way(started).await?;
        let others = other.clone();
        let feed = move |give: &Give| others.iter().all(|(blob, parts)| load.whole(blob, &parts.missing, give));
        let (_, bytes) = self.fed(feed, arriving, &told).await?;
        let summary = Summary { image: image.size, arriving, bytes: differ + bytes, took: begun.elapsed(), whole };

        let keeping = async {
            if let Some(kept) = kept {
                opened.keep(kept).await;
            }
        };
        let none = Payload { from: &mut tokio::io::empty(), size: 0, sent: &|_, _| {} };
        let end = job::end();
        let (ended, ()) = tokio::join!(self.run(&end, none, 2 * patience), keeping);
        let imported = ended.and_then(|output| {
            let images = listed::parse(&output);
            output.succeeded().map(|()| images)
        });
        self.gave_way(imported).await.map(|images| (summary, images))
    }

    /// Sends what is fed, of `size` bytes: what came of the feeding, and how many bytes that took.
    async fn fed<T: Send + 'static>(
        &self,
        feed: impl FnOnce(&Give) -> T + Send + 'static,
        size: u64,
        told: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<(T, u64), Error> {
        let (parcels, fed) = wire::parcels(feed);
        let streamed = self.stream(parcels, size, ARRIVED, told).await;
        let bytes = self.gave_way(streamed).await?;
        Ok((fed.await.map_err(|error| Error::Here(error.to_string()))?, bytes))
    }

    async fn held(&self) -> Result<Held, Error> {
        let none = Payload { from: &mut tokio::io::empty(), size: 0, sent: &|_, _| {} };
        let output = self.run(&held::script(), none, SHORT).await?;
        let text = output.text();
        output.succeeded()?;
        held::parse(&text).ok_or_else(|| Error::Amiss(format!("what lies there is told in other words: {}", last_lines(&text))))
    }

    /// Waits until the CRI knows the image, too; `images` is what it knew right after the import.
    async fn noticed(&self, import: &ImageImport, images: Answer) -> Result<(), Error> {
        let until = Instant::now() + NOTICE;
        let mut seen = Some(images);
        loop {
            let Some(amiss) = amiss(seen.as_ref(), import) else { return Ok(()) };
            if Instant::now() > until {
                return Err(Error::Amiss(amiss));
            }
            tokio::time::sleep(PAUSE).await;
            seen = self.answers(&[HostQuestion::Images], |_, _| {}).await?.pop();
        }
    }
}

/// For taking an image in; as much again is for what is before and after.
const fn patience(size: u64) -> Duration {
    Duration::from_secs(600 + size / SLOW)
}

/// containerd's command line for what takes no longer. `--foreground` keeps it in the worker's process group, where the keeper of the lock
/// finds it.
fn ctr(limit: Duration) -> String {
    format!("timeout --foreground {} {K3S_CTR}", limit.as_secs())
}

/// kubelet's garbage collection spares what bears this label (containerd: pkg/labels).
const PINNED: &str = "io.cri-containerd.pinned=pinned";

pub(super) fn pin(name: &str) -> String {
    format!("{} images label {} {PINNED} >/dev/null", ctr(SHORT), quote(name))
}

/// What a pod began to use since it was looked at stays.
pub(super) fn remove(name: &str, id: &str) -> String {
    const CRICTL: &str = "timeout --foreground 60 /usr/local/bin/k3s crictl";
    format!(
        "used=$({CRICTL} ps -a -o json) || exit\n\
         case $used in *{id}*) echo 'a pod uses it by now: it stays, so run again' >&2; exit 1 ;; esac\n\
         {CRICTL} rmi {name} >/dev/null\n",
        id = quote(id.trim_start_matches("sha256:")),
        name = quote(name),
    )
}

/// What differs between the images on the host and those that were imported.
fn amiss(answer: Option<&Answer>, import: &ImageImport) -> Option<String> {
    let Some(Answer::Present(Reply::Images(images))) = answer else {
        return Some("the images on the host can't be listed after the import".into());
    };
    import.names.iter().find_map(|name| {
        let found: Vec<&ImageOnHost> = images.iter().filter(|image| &image.name == name).collect();
        match found[..] {
            [image] if image.id != import.id => Some(format!("{name} is {} after the import, not {}", image.id, import.id)),
            [image] if !image.pinned => Some(format!("{name} is not pinned after the import")),
            [_] => None,
            _ => Some(format!("{name} is not on the host after the import")),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ImageSource;

    #[test]
    fn an_import_counts_only_with_name_digest_and_pin() {
        let name = "docker.io/shop/web:1";
        let source = ImageSource::Archive("web.tar".into());
        let import = ImageImport { source, arch: "amd64".into(), names: vec![name.into()], id: "sha256:aa".into(), size: 1 };
        let on_host = |name: &str, id: &str, pinned| {
            Answer::Present(Reply::Images(vec![ImageOnHost { name: name.into(), id: id.into(), pinned, size: 1 }]))
        };
        assert_eq!(amiss(Some(&on_host(name, "sha256:aa", true)), &import), None);
        assert!(amiss(Some(&on_host(name, "sha256:aa", false)), &import).is_some_and(|why| why.contains("not pinned")));
        assert!(amiss(Some(&on_host(name, "sha256:bb", true)), &import).is_some_and(|why| why.contains("sha256:bb")));
        assert!(amiss(Some(&on_host("other", "sha256:aa", true)), &import).is_some_and(|why| why.contains("not on the host")));
        assert!(amiss(Some(&Answer::Absent), &import).is_some());
    }
}
