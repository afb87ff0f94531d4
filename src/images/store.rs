//! Images of every source as archives on this machine. What is not a file here is kept in the user's cache, in a folder a source, and there
//! the newest only.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;
use sha2::{Digest as _, Sha256};
use tokio::sync::Mutex;

use super::engine::Engine;
use super::{layout, pulled, saved};
use crate::model::{Failure, ImageArchive, ImageImport, ImageSource};

/// Told (bytes fetched, in all).
pub(super) type Fetched<'a> = &'a (dyn Fn(u64, u64) + Send + Sync);

/// Images of one inventory.
pub struct Images {
    folder: PathBuf,
    /// Held while something is fetched: hosts side by side want the same.
    turn: Mutex<()>,
}

impl Images {
    /// Images cached in the user's cache folder.
    ///
    /// # Errors
    /// The user has no home.
    pub fn new() -> Result<Self, Failure> {
        let places =
            etcetera::choose_base_strategy().map_err(|error| Failure::new("find the cache folder", error.to_string(), "set HOME"))?;
        Ok(Self { folder: places.cache_dir().join("bedplate/images"), turn: Mutex::new(()) })
    }

    /// What an image is, for machines of `arch`. Of an engine and a registry no more is asked than what tells its identity; where Docker
    /// keeps images in containerd's store only the whole archive does, and it is saved for that.
    ///
    /// # Errors
    /// In words that name the source: it can't be asked, or what it holds is no image for `arch`.
    pub async fn ask(&self, source: &ImageSource, arch: &str) -> Result<Option<ImageArchive>, String> {
        let kept = self.kept(source, arch);
        let _turn = match source {
            ImageSource::Docker(_) | ImageSource::Podman(_) => Some(self.turn.lock().await),
            ImageSource::Archive(_) | ImageSource::Registry(_) => None,
        };
        let looked = match source {
            ImageSource::Archive(path) => archive(path, arch).await,
            ImageSource::Docker(name) => match Engine::docker(variable) {
                Ok(docker) => saved::ask(&docker, name, arch, &kept).await,
                Err(why) => Err(why),
            },
            ImageSource::Podman(name) => saved::ask(&Engine::podman(variable), name, arch, &kept).await,
            ImageSource::Registry(name) => pulled::ask(name, arch, &kept).await,
        };
        looked.map_err(|why| format!("{source}: {why}"))
    }

    /// Where an archive of the image that was planned lies, fetched if it must be.
    ///
    /// # Errors
    /// It can't be had, or another image has taken its name since.
    pub async fn local(&self, import: &ImageImport, sent: Fetched<'_>) -> Result<PathBuf, Failure> {
        let ImageImport { source, arch, id, .. } = import;
        let tried = format!("fetch {source}");
        let kept = self.kept(source, arch);
        let _turn = self.turn.lock().await;
        let fetched = match source {
            ImageSource::Archive(path) => Ok(path.clone()),
            ImageSource::Docker(name) => match Engine::docker(variable) {
                Ok(docker) => saved::fetch(&docker, name, arch, &kept, sent).await.map(|(path, _)| path),
                Err(why) => Err(why),
            },
            ImageSource::Podman(name) => saved::fetch(&Engine::podman(variable), name, arch, &kept, sent).await.map(|(path, _)| path),
            ImageSource::Registry(name) => pulled::fetch(name, arch, &kept, sent).await,
        };
        let path = fetched.map_err(|why| Failure::new(&tried, why, "see that this machine has it, then run again"))?;
        match archive(&path, arch).await {
            Ok(Some(image)) if image.id == *id => Ok(path),
            Ok(Some(image)) => Err(Failure::new(tried, format!("it is {} now, and was {id} when it was looked at", image.id), "run again")),
            Ok(None) => Err(Failure::new(tried, format!("{} is gone", path.display()), "run again")),
            Err(why) => Err(Failure::new(tried, why, "make the image anew, then run again")),
        }
    }

    /// A source's folder in the cache.
    fn kept(&self, source: &ImageSource, arch: &str) -> PathBuf {
        let sum = Sha256::digest(format!("{source} {arch}"));
        self.folder.join(format!("{sum:x}").get(..16).unwrap_or_default())
    }
}

/// Reads an archive off the threads that have others to serve.
pub(super) async fn archive(path: &Path, arch: &str) -> Result<Option<ImageArchive>, String> {
    let (path, arch) = (path.to_owned(), arch.to_owned());
    let read = tokio::task::spawn_blocking(move || if path.exists() { layout::read(&path, &arch).map(Some) } else { Ok(None) });
    read.await.map_err(|error| error.to_string())?
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
