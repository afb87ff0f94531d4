//! Built things outside the clone, each in a folder named by the digest of all that it was made from.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::rig::Place;

/// An entry that nobody asked for in this time is removed.
const UNUSED: Duration = Duration::from_secs(7 * 24 * 3600);
/// Entries of one name that are kept: what a branch wants, what it came from, and one more to go back to.
const KEPT: usize = 3;
/// Touched at every use, as a folder's own time only changes with its entries.
const MARK: &str = ".used";

/// The cache, held by this process alone until it is dropped.
pub struct Cache {
    root: PathBuf,
    _lock: File,
}

impl Cache {
    /// Opens `build` in the rig's cache, waiting while another process builds.
    pub fn open() -> Result<Self> {
        Self::open_at(Place::here()?.cache.join("build"))
    }

    fn open_at(root: PathBuf) -> Result<Self> {
        fs::create_dir_all(&root).with_context(|| format!("make {}", root.display()))?;
        let path = root.join("lock");
        let lock = File::create(&path).with_context(|| format!("open {}", path.display()))?;
        if lock.try_lock().is_err() {
            eprintln!("another build holds {}: waiting for it", path.display());
            lock.lock().with_context(|| format!("lock {}", path.display()))?;
        }
        Ok(Self { root, _lock: lock })
    }

    /// The folder of `name` made from `key`; `make` fills it when it is not there yet. A failed `make` leaves nothing behind.
    pub fn entry(&self, name: &str, key: Key, make: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
        let dir = self.root.join(format!("{name}-{}", &key.finish()[..16]));
        if !dir.exists() {
            let partial = self.root.join(format!("{name}.partial"));
            remove(&partial)?;
            fs::create_dir(&partial).with_context(|| format!("make {}", partial.display()))?;
            make(&partial).with_context(|| format!("build {name}"))?;
            fs::rename(&partial, &dir).with_context(|| format!("keep {}", dir.display()))?;
        }
        File::create(dir.join(MARK)).with_context(|| format!("mark {}", dir.display()))?;
        Ok(dir)
    }

    /// Removes what was last used more than a week ago, and of each name all but what was used last. What was asked for since the cache
    /// was opened stays: nobody else can have asked for anything later.
    pub fn prune(&self) -> Result<()> {
        let mut names: BTreeMap<String, Vec<(SystemTime, PathBuf)>> = BTreeMap::new();
        for entry in fs::read_dir(&self.root).with_context(|| format!("list {}", self.root.display()))? {
            let dir = entry?.path();
            let used = fs::metadata(dir.join(MARK)).and_then(|mark| mark.modified());
            let name = dir.file_name().and_then(|name| name.to_str()?.rsplit_once('-'));
            if let (Ok(used), Some((name, _key))) = (used, name) {
                names.entry(name.to_owned()).or_default().push((used, dir));
            }
        }
        for mut entries in names.into_values() {
            entries.sort();
            let old = |used: &SystemTime| used.elapsed().is_ok_and(|age| age > UNUSED);
            for (_, (_, dir)) in entries.iter().rev().enumerate().filter(|(place, (used, _))| *place >= KEPT || old(used)) {
                remove(dir)?;
            }
        }
        Ok(())
    }
}

fn remove(dir: &Path) -> Result<()> {
    match fs::remove_dir_all(dir) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(e).with_context(|| format!("remove {}", dir.display())),
        _ => Ok(()),
    }
}

/// Gathers everything that a cache entry depends on.
#[derive(Clone, Default)]
pub struct Key(Sha256);

impl Key {
    /// Adds a text. Its length goes in first, so that no two lists of texts look alike.
    #[must_use]
    pub fn text(mut self, text: impl AsRef<[u8]>) -> Self {
        let text = text.as_ref();
        self.0.update((text.len() as u64).to_be_bytes());
        self.0.update(text);
        self
    }

    /// Adds another entry, or a file of it, whose path holds the digest of what it was made from.
    #[must_use]
    pub fn path(self, path: &Path) -> Self {
        self.text(path.as_os_str().as_encoded_bytes())
    }

    /// Adds every file below `path`, by name and content; `path` may itself be a file.
    pub fn tree(self, path: &Path) -> Result<Self> {
        let mut files = Vec::new();
        list(path, &mut files)?;
        files.sort();
        files.iter().try_fold(self, |key, file| {
            let name = file.strip_prefix(path).unwrap_or(file).as_os_str().as_encoded_bytes();
            let text = fs::read(file).with_context(|| format!("read {}", file.display()))?;
            Ok(key.text(name).text(text))
        })
    }

    fn finish(self) -> String {
        hex(&self.0.finalize())
    }
}

fn list(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if path.is_file() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(path).with_context(|| format!("list {}", path.display()))? {
        list(&entry?.path(), files)?;
    }
    Ok(())
}

/// The size in bytes and lowercase hex SHA-256 of a file.
pub fn measure(path: &Path) -> Result<(u64, String)> {
    let mut file = File::open(path).with_context(|| format!("open {}", path.display()))?;
    let (mut hash, mut size, mut buffer) = (Sha256::new(), 0, vec![0; 1 << 20]);
    loop {
        let n = file.read(&mut buffer).with_context(|| format!("read {}", path.display()))?;
        if n == 0 {
            return Ok((size, hex(&hash.finalize())));
        }
        hash.update(&buffer[..n]);
        size += n as u64;
    }
}

/// Lowercase hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_made_once_per_key_and_never_half() {
        let held = tempfile::tempdir().unwrap();
        let root = held.path();
        let cache = Cache::open_at(root.to_owned()).unwrap();
        let key = || Key::default().text("a");
        assert!(
            cache
                .entry("x", key(), |dir| {
                    fs::write(dir.join("half"), "")?;
                    anyhow::bail!("no")
                })
                .is_err()
        );
        let dir = cache.entry("x", key(), |dir| Ok(fs::write(dir.join("whole"), "")?)).unwrap();
        assert!(dir.join("whole").exists() && !dir.join("half").exists());
        assert_eq!(dir, cache.entry("x", key(), |_| anyhow::bail!("made twice")).unwrap());
        assert_ne!(dir, cache.entry("x", Key::default().text("b"), |_| Ok(())).unwrap());
    }

    #[test]
    fn of_each_name_the_last_three_stay_and_none_for_more_than_a_week() {
        let held = tempfile::tempdir().unwrap();
        let cache = Cache::open_at(held.path().to_owned()).unwrap();
        let made = |name: &str, key: &str, hours: u64| {
            let dir = cache.entry(name, Key::default().text(key), |_| Ok(())).unwrap();
            let used = SystemTime::now() - Duration::from_secs(hours * 3600);
            File::open(dir.join(MARK)).unwrap().set_modified(used).unwrap();
            dir
        };
        let nodes: Vec<PathBuf> = (0..5).map(|hours| made("node", &format!("{hours}"), hours)).collect();
        let [other, old] = [made("node-test", "a", 100), made("node-test", "b", 8 * 24)];
        // Asked for again: whatever it was, it is the last.
        assert_eq!(nodes[4], cache.entry("node", Key::default().text("4"), |_| anyhow::bail!("made twice")).unwrap());
        cache.prune().unwrap();
        let there: Vec<bool> = nodes.iter().chain([&other, &old]).map(|dir| dir.exists()).collect();
        assert_eq!(there, [true, true, false, false, true, true, false]);
        assert!(held.path().join("lock").exists());
    }

    #[test]
    fn texts_do_not_run_together() {
        assert_ne!(Key::default().text("ab").text("c").finish(), Key::default().text("a").text("bc").finish());
    }
}
