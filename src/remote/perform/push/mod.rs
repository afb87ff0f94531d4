//! Images into k3s' containerd: what it lacks goes into a spool on the host, and from there, as a layout in part, through its importer.

mod archive;
mod delta;
mod held;
mod import;
mod job;
mod lacking;
mod moved;
mod opened;
mod shared;
mod summary;
mod unpack;
mod wire;

use std::path::Path;
use std::time::{Duration, Instant};

use self::delta::UNMADE;
use self::opened::Opened;
pub(in crate::remote) use self::shared::Shared;
use super::{SHORT, STRICT, Sent};
use crate::images::Kept;
use crate::model::{Answer, HostQuestion, ImageImport, ImageOnHost, Reply};
use crate::remote::Remote;
use crate::remote::error::Error;
use crate::remote::quote::quote;

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
