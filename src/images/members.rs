//! The files of an archive, be it a tar or a folder, and where their bytes stand.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::layout::{Bytes, CAP};

/// Names and stretches.
pub(super) struct Members(BTreeMap<String, Stretch>);

/// A stretch of a file on disk.
#[derive(Clone, Debug)]
pub(super) struct Stretch {
    pub(super) file: PathBuf,
    pub(super) offset: u64,
    pub(super) size: u64,
}

impl Members {
    /// Lists a tar's or a folder's regular files.
    pub(super) fn of(path: &Path) -> Result<Self, String> {
        let listed = if path.is_dir() { folder(path) } else { tar(path) };
        listed.map(Self).map_err(|error| error.to_string())
    }

    /// A file, by its name without a leading `./`.
    pub(super) fn get(&self, name: &str) -> Option<&Stretch> {
        self.0.get(name)
    }

    /// A blob of an OCI layout.
    pub(super) fn blob(&self, digest: &str) -> Result<&Stretch, String> {
        self.get(&format!("blobs/{}", digest.replacen(':', "/", 1))).ok_or_else(|| format!("it lacks {digest}: the archive is cut"))
    }
}

impl Stretch {
    /// A text that must not be long.
    pub(super) fn text(&self) -> Result<Vec<u8>, String> {
        if self.size > CAP {
            return Err(format!("{} bytes are too many for a manifest or a config", self.size));
        }
        let mut text = Vec::new();
        self.bytes().reader().and_then(|mut bytes| bytes.read_to_end(&mut text)).map_err(|error| error.to_string())?;
        Ok(text)
    }

    /// To be read when they are wanted.
    pub(super) fn bytes(&self) -> Bytes {
        Bytes::At(self.clone())
    }
}

fn tar(path: &Path) -> io::Result<BTreeMap<String, Stretch>> {
    let mut members = BTreeMap::new();
    for entry in tar::Archive::new(File::open(path)?).entries_with_seek()? {
        let entry = entry?;
        if entry.header().entry_type().is_file() {
            let name = entry.path()?.to_string_lossy().trim_start_matches("./").to_owned();
            members.insert(name, Stretch { file: path.into(), offset: entry.raw_file_position(), size: entry.size() });
        }
    }
    Ok(members)
}

/// The two files and the blobs of a layout; what else lies there is nobody's.
fn folder(path: &Path) -> io::Result<BTreeMap<String, Stretch>> {
    let mut members = BTreeMap::new();
    for below in ["", "blobs/sha256/"] {
        let listed = match fs::read_dir(path.join(below)) {
            Ok(listed) => listed,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for entry in listed {
            let entry = entry?;
            // Through a link: a folder of blobs may be shared.
            let Ok(meta) = fs::metadata(entry.path()) else { continue };
            if meta.is_file() {
                let name = format!("{below}{}", entry.file_name().to_string_lossy());
                members.insert(name, Stretch { file: entry.path(), offset: 0, size: meta.len() });
            }
        }
    }
    Ok(members)
}
