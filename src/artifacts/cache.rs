//! The operator's cache: files by digest. A file gets its name only once its digest is right.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;
use tokio::sync::Mutex;

use super::fetch::{self, Fetched};
use super::source::Place;
use super::{LockFile, Source};
use crate::model::{ArtifactRef, Failure, Pin};

/// Artifacts of one inventory.
pub struct Artifacts {
    source: Source,
    lock: LockFile,
    folder: PathBuf,
    /// Held while something is fetched: hosts side by side want the same.
    turn: Mutex<()>,
}

impl Artifacts {
    /// Artifacts from `source`, pinned by `lock`, cached in the user's cache folder.
    ///
    /// # Errors
    /// The user has no home.
    pub fn new(source: Source, lock: LockFile) -> Result<Self, Failure> {
        let places =
            etcetera::choose_base_strategy().map_err(|error| Failure::new("find the cache folder", error.to_string(), "set HOME"))?;
        Ok(Self { source, lock, folder: places.cache_dir().join("bedplate/sha256"), turn: Mutex::new(()) })
    }

    /// What the lock file holds of an artifact.
    ///
    /// # Errors
    /// The lock file can't be read.
    pub fn pin(&self, artifact: &ArtifactRef) -> Result<Option<Pin>, Failure> {
        Ok(self.lock.read()?.of(artifact).cloned())
    }

    /// The file of a pinned artifact, fetched if the cache lacks it.
    ///
    /// # Errors
    /// It can't be had, or is not what it was pinned to.
    pub async fn local(&self, pin: &Pin, sent: &(dyn Fn(u64, u64) + Send + Sync)) -> Result<PathBuf, Failure> {
        let path = self.folder.join(&pin.sha256);
        if holds(&path, pin).await? {
            return Ok(path);
        }
        let _turn = self.turn.lock().await;
        // Fetched for another host meanwhile.
        if holds(&path, pin).await? {
            return Ok(path);
        }
        let place = self.place(&pin.artifact)?;
        let (temp, fetched) = self.fetch(&place, sent).await?;
        if fetched.sha256 != pin.sha256 || fetched.size != pin.size {
            let seen = format!(
                "{place} is not what bedplate.lock pins: {} bytes, sha256 {}; pinned are {} bytes, sha256 {}",
                fetched.size, fetched.sha256, pin.size, pin.sha256
            );
            let cure = "nothing was installed; fetch again if the download was cut, else find out who changed it; \
                        delete the entry in bedplate.lock only if you trust the new file";
            return Err(Failure::new(format!("fetch {}", pin.artifact), seen, cure));
        }
        self.keep(temp, &path)?;
        Ok(path)
    }

    /// First meeting: takes the vendor's sum, fetches, compares, and records the pin. What another host has learnt meanwhile stays.
    ///
    /// # Errors
    /// The source can't be believed, the artifact can't be had, or it differs from the vendor's sum.
    pub async fn learn(&self, artifact: &ArtifactRef, sent: &(dyn Fn(u64, u64) + Send + Sync)) -> Result<(), Failure> {
        let _turn = self.turn.lock().await;
        if self.pin(artifact)?.is_some() {
            return Ok(());
        }
        let place = self.place(artifact)?;
        let tried = format!("learn {artifact}");
        if !place.trusted() {
            let cure = "use an https:// source for the first meeting, or copy the pin into bedplate.lock from where it is known";
            return Err(Failure::new(tried, format!("{place} is plain HTTP, and bedplate.lock doesn't pin it"), cure));
        }
        let sums = self.source.sums(artifact);
        let promised = match &sums {
            Some(sums) => {
                Some(promised(sums, &fetch::text(sums).await?, &place).map_err(|seen| Failure::new(&tried, seen, "check the version"))?)
            }
            None => None,
        };
        let (temp, fetched) = self.fetch(&place, sent).await?;
        if let Some(promised) = promised.filter(|promised| *promised != fetched.sha256) {
            let seen = format!("{place} has sha256 {}, the vendor's sum is {promised}", fetched.sha256);
            return Err(Failure::new(tried, seen, "fetch again; if it stays so, don't install it"));
        }
        self.keep(temp, &self.folder.join(&fetched.sha256))?;
        self.lock.add(Pin {
            artifact: artifact.clone(),
            url: place.to_string(),
            size: fetched.size,
            sha256: fetched.sha256,
            learnt: match sums {
                Some(sums) => format!("first meeting; equals the vendor's sum in {sums}"),
                None => "first meeting; the vendor publishes no sum beside it".into(),
            },
            at: jiff::Timestamp::now().to_string(),
        })
    }

    fn place(&self, artifact: &ArtifactRef) -> Result<Place, Failure> {
        let unknown = || Failure::new(format!("find {artifact}"), "bedplate doesn't know where it comes from", "");
        self.source.artifact(artifact).ok_or_else(unknown)
    }

    async fn fetch(&self, place: &Place, sent: &(dyn Fn(u64, u64) + Send + Sync)) -> Result<(tempfile::TempPath, Fetched), Failure> {
        let unwritten = |error| fetch::unwritten(&self.folder, &error);
        std::fs::create_dir_all(&self.folder).map_err(unwritten)?;
        let temp = tempfile::NamedTempFile::new_in(&self.folder).map_err(unwritten)?.into_temp_path();
        let fetched = fetch::file(place, &temp, sent).await?;
        Ok((temp, fetched))
    }

    fn keep(&self, temp: tempfile::TempPath, path: &Path) -> Result<(), Failure> {
        temp.persist(path).map_err(|error| fetch::unwritten(path, &error.error))
    }
}

/// Whether it lies there whole: it may have been cut or changed since, and is then fetched again.
async fn holds(path: &Path, pin: &Pin) -> Result<bool, Failure> {
    Ok(path.exists() && fetch::digest(path).await? == pin.sha256)
}

/// The line of a sum file that names the artifact: `<64 hex>  <file>`.
fn promised(sums: &Place, text: &str, place: &Place) -> Result<String, String> {
    let place = place.to_string();
    let file = place.rsplit('/').next().unwrap_or_default();
    let line = text.lines().find_map(|line| {
        let (sum, name) = line.split_once(char::is_whitespace)?;
        (name.trim().trim_start_matches('*') == file).then(|| sum.to_owned())
    });
    match line {
        Some(sum) if sum.len() == 64 && sum.bytes().all(|byte| byte.is_ascii_hexdigit()) => Ok(sum.to_lowercase()),
        Some(_) => Err(format!("{sums} holds no sha256 for {file}")),
        None => Err(format!("{sums} doesn't name {file}")),
    }
}
