//! This machine as a host, and what goes wrong there.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bedplate::images::read;
use bedplate::inventory::Inventory;
use bedplate::model::{HostAction, ImageImport, ImageSource};
use bedplate::remote::{Prompt, Remote};
use proptest::prelude::*;
use tempfile::TempDir;
use tokio::sync::Notify;

use super::image::{Image, NAME, Packer, hex};
use super::test_program::write_program;

const SPOOL: &str = "/var/lib/bedplate/spool";
const STORE: &str = "/var/lib/rancher/k3s/agent/containerd/io.containerd.content.v1.content/blobs/sha256";
/// Who was killed a moment ago holds the lock for that long at most.
const PATIENCE: Duration = Duration::from_secs(20);

/// What befalls a push; which blob: counted around.
#[derive(Clone, Debug)]
pub enum Mishap {
    None,
    /// It is killed after so many hundredths of its bytes.
    Killed {
        after: u64,
    },
    /// And a byte of what had arrived is another by the next time.
    Spoilt {
        after: u64,
        at: usize,
    },
    /// A byte of a blob in containerd's store is another.
    Rotten {
        blob: usize,
        at: usize,
    },
    /// A blob goes as soon as it was seen.
    Collected {
        blob: usize,
    },
    /// What this machine remembers of former layers is gone.
    Forgotten,
}

impl Arbitrary for Mishap {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        prop_oneof![
            3 => Just(Self::None),
            1 => (0..100_u64).prop_map(|after| Self::Killed { after }),
            1 => (0..100_u64, any::<usize>()).prop_map(|(after, at)| Self::Spoilt { after, at }),
            1 => (any::<usize>(), any::<usize>()).prop_map(|(blob, at)| Self::Rotten { blob, at }),
            1 => any::<usize>().prop_map(|blob| Self::Collected { blob }),
            1 => Just(Self::Forgotten),
        ]
        .boxed()
    }
}

pub struct Host {
    folder: TempDir,
}

impl Host {
    /// One that knows k3s and nothing else.
    pub fn bare() -> Self {
        for folder in ["/var/lib/rancher", "/var/lib/bedplate", "/var/lib/cache"] {
            let _ = fs::remove_dir_all(folder);
        }
        fs::create_dir_all("/var/lib/rancher").unwrap();
        write_program(Path::new("/usr/local/bin/k3s"), include_str!("k3s"));
        write_program(Path::new("/usr/local/sbin/systemctl"), "#!/bin/sh\n");
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// The image's layers come packed, as kubelet pulls them: containerd knows what each unpacks to.
    pub fn pull(&self, image: &Image, packer: Packer) {
        const UNPACKED: &str = "/var/lib/rancher/unpacked";
        for folder in [STORE, UNPACKED] {
            fs::create_dir_all(folder).unwrap();
        }
        for (layer, packed) in image.packed(packer) {
            fs::write(Path::new(UNPACKED).join(hex(&packed)), format!("sha256:{}", hex(layer))).unwrap();
            fs::write(Path::new(STORE).join(hex(&packed)), packed).unwrap();
        }
    }

    /// What it says of itself.
    pub async fn push(&self, image: &Image, mishap: Mishap) -> Result<String, String> {
        let archive = self.folder.path().join("image.tar");
        image.save(&archive);
        let (mut after, mut spoils) = (u64::MAX, None);
        match mishap {
            Mishap::None => {}
            Mishap::Killed { after: hundredths } => after = hundredths,
            Mishap::Spoilt { after: hundredths, at } => (after, spoils) = (hundredths, Some(at)),
            Mishap::Rotten { blob, at } => blobs(STORE).get(blob % blobs(STORE).len().max(1)).into_iter().for_each(|path| spoil(path, at)),
            Mishap::Collected { blob } => {
                let held = blobs(STORE);
                if let Some(name) = held.get(blob % held.len().max(1)).and_then(|path| path.file_name()) {
                    fs::write("/var/lib/rancher/collect", name.to_str().unwrap()).unwrap();
                }
            }
            Mishap::Forgotten => drop(fs::remove_dir_all("/var/lib/cache")),
        }
        let done = send(&archive, after).await;
        if let Some(at) = spoils {
            blobs(SPOOL).iter().for_each(|path| spoil(path, at));
        }
        done
    }

    /// What of the host is not as it was asked for.
    pub fn amiss(&self, image: &Image) -> Option<String> {
        let archive = self.folder.path().join("image.tar");
        image.save(&archive);
        let wanted = read(&archive, "amd64").unwrap();
        for blob in &wanted.blobs {
            let path = Path::new(STORE).join(blob.digest.trim_start_matches("sha256:"));
            match fs::read(&path) {
                Ok(bytes) if format!("sha256:{}", hex(&bytes)) == blob.digest => {}
                Ok(_) => return Some(format!("{} is something else", path.display())),
                Err(error) => return Some(format!("{}: {error}", path.display())),
            }
        }
        let named = fs::read_to_string(format!("/var/lib/rancher/names/{}", NAME.replace('/', "_"))).unwrap_or_default();
        if named.trim() != wanted.blobs[0].digest.trim_start_matches("sha256:") {
            return Some(format!("{NAME} is {named}"));
        }
        // What came of images that nobody wants any more goes after a day.
        let part = |path: &PathBuf, digest: &str| path.to_string_lossy().contains(digest.trim_start_matches("sha256:"));
        let left = |path: &PathBuf| wanted.blobs.iter().any(|blob| part(path, &blob.digest));
        blobs(SPOOL).into_iter().find(left).map(|path| format!("{} is left", path.display()))
    }
}

/// As a run of its own, which may be killed after so many hundredths of its bytes.
async fn send(archive: &Path, after: u64) -> Result<String, String> {
    let image = read(archive, "amd64").unwrap();
    let inventory: Inventory = toml::from_str(include_str!("../cases/inventories/local.toml")).unwrap();
    let remote = Remote::connect(inventory.server().unwrap(), &Prompt::unattended(None)).await.map_err(|failure| format!("{failure:?}"))?;
    let lock = remote.lock(PATIENCE).await.map_err(|failure| format!("{failure:?}"))?;
    let source = ImageSource::Archive(archive.into());
    let import = ImageImport { source, arch: "amd64".into(), names: image.names, id: image.id, size: image.size };
    let killed = Notify::new();
    let sent = |done: u64, all: u64| {
        if after < 100 && done * 100 >= all * after {
            killed.notify_one();
        }
    };
    let action = HostAction::Import(import);
    let done = tokio::select! {
        done = remote.perform(&action, archive, &sent) => done.map(Option::unwrap_or_default).map_err(|failure| format!("{failure:?}")),
        () = killed.notified() => return Err("killed".into()),
    };
    lock.release().await;
    done
}

/// Files of a folder in the order of their names.
fn blobs(folder: &str) -> Vec<PathBuf> {
    let mut blobs: Vec<PathBuf> = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    blobs.sort();
    blobs
}

fn spoil(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    let at = at % bytes.len().max(1);
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1;
        fs::write(path, bytes).unwrap();
    }
}
