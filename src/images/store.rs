//! Images of every source as archives on this machine. What is not a file here is kept in the user's cache, in a folder a source, and there
//! the newest only; a source that nobody asked for in a week goes.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use etcetera::BaseStrategy as _;
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;
use tokio::sync::Mutex;

use super::engine::Engine;
use super::{layout, pulled, saved};
use crate::model::{Failure, ImageArchive, ImageImport, ImageSource};

/// How long a source stays that nobody asks for: a tag for every commit would fill the disk.
const STAYS: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How the name of a file begins that is not whole.
const TEMP: &str = "part-";
/// By then a run that was pulling or saving has ended.
const OVER: Duration = Duration::from_secs(24 * 60 * 60);

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
        // A cache: where it can't be dated it is fetched again.
        let _ = File::open(&kept).and_then(|folder| folder.set_modified(SystemTime::now()));
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
        self.tidy();
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

    /// Removes sources that nobody asked for in a long while. Not before something is fetched: by then all that a run wants is asked for. A
    /// cache: what can't be removed stays.
    fn tidy(&self) {
        for folder in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let age = folder.metadata().and_then(|meta| meta.modified()).ok().and_then(|asked| asked.elapsed().ok());
            if age.is_some_and(|age| age > STAYS) {
                let _ = fs::remove_dir_all(folder.path());
            }
        }
    }

    /// A source's folder in the cache.
    fn kept(&self, source: &ImageSource, arch: &str) -> PathBuf {
        let sum = Sha256::digest(format!("{source} {arch}"));
        self.folder.join(format!("{sum:x}").get(..16).unwrap_or_default())
    }
}

/// Removes a folder's files but those that are wanted. A file that another run is still writing is spared, one that it removed too is no error.
pub(super) fn forget(folder: &Path, wanted: impl Fn(&Path) -> bool) -> Result<(), String> {
    let unread = |error: io::Error| format!("read {}: {error}", folder.display());
    for file in fs::read_dir(folder).map_err(unread)? {
        let file = file.map_err(unread)?;
        let written = file.metadata().and_then(|meta| meta.modified()).ok().and_then(|written| written.elapsed().ok());
        let busy = file.file_name().to_string_lossy().starts_with(TEMP) && written.is_none_or(|age| age < OVER);
        if busy || wanted(&file.path()) {
            continue;
        }
        match fs::remove_file(file.path()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(format!("remove {}: {error}", file.path().display())),
            _ => {}
        }
    }
    Ok(())
}

/// A file that gets its name once it is whole.
pub(super) fn temp(folder: &Path) -> io::Result<NamedTempFile> {
    fs::create_dir_all(folder)?;
    tempfile::Builder::new().prefix(TEMP).tempfile_in(folder)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_source_that_nobody_asks_for_goes_once_all_that_are_wanted_were() {
        let cache = tempfile::tempdir().unwrap();
        let images = Images { folder: cache.path().into(), turn: Mutex::new(()) };
        let source = |tag: &str| ImageSource::Archive(format!("{tag}.tar").into());
        let folder = |tag: &str, days: u64| {
            let folder = images.kept(&source(tag), "amd64");
            fs::create_dir(&folder).unwrap();
            fs::write(folder.join("image.tar"), "bytes").unwrap();
            File::open(&folder).unwrap().set_modified(SystemTime::now() - Duration::from_secs(days * 24 * 60 * 60)).unwrap();
            folder
        };
        let folders = [folder("1", 9), folder("2", 9), folder("3", 6), folder("4", 8)];
        let there = || folders.each_ref().map(|folder| folder.exists());
        for tag in ["1", "2"] {
            assert_eq!(images.ask(&source(tag), "amd64").await, Ok(None));
        }
        assert_eq!(there(), [true; 4]);
        let import = ImageImport { source: source("1"), arch: "amd64".into(), names: Vec::new(), id: String::new(), size: 0 };
        assert!(images.local(&import, &|_, _| {}).await.is_err(), "there is no such archive");
        assert_eq!(there(), [true, true, true, false]);
    }

    #[test]
    fn what_another_run_writes_is_spared() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, hours: u64| {
            let path = folder.path().join(name);
            fs::write(&path, "bytes").unwrap();
            File::options()
                .write(true)
                .open(&path)
                .unwrap()
                .set_modified(SystemTime::now() - Duration::from_secs(hours * 60 * 60))
                .unwrap();
            path
        };
        let [wanted, former, busy, cut] = [file("2.tar", 30), file("1.tar", 1), file("part-a", 1), file("part-b", 25)];
        forget(folder.path(), |path| path == wanted).unwrap();
        assert_eq!([&wanted, &former, &busy, &cut].map(|path| path.exists()), [true, false, true, false]);
    }
}
