//! The files of an archive, be it a tar or a folder, and where their bytes stand. Nothing is ever unpacked to this machine's disk, so a name
//! that leads out of the archive leads nowhere.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::layout::{Bytes, CAP, digest, is_digest};

/// What the headers of a tar may take, names and all: more than thirty thousand files.
const HEADERS: u64 = 16 << 20;
/// Links that are followed one after the other.
const LINKS: usize = 8;

/// Where to look for a file.
pub(super) enum Members {
    Tar { files: BTreeMap<String, Stretch>, links: BTreeMap<String, String> },
    Folder(PathBuf),
}

/// A stretch of a file on disk.
#[derive(Clone, Debug)]
pub(super) struct Stretch {
    pub(super) file: PathBuf,
    pub(super) offset: u64,
    pub(super) size: u64,
}

impl Members {
    /// Lists a tar. A folder is not listed: who knows what else lies there.
    pub(super) fn of(path: &Path) -> Result<Self, String> {
        if path.is_dir() { Ok(Self::Folder(path.into())) } else { tar(path) }
    }

    /// A regular file, by its name without a leading `./`. A tar's links are followed within the tar, as older Dockers write them for
    /// layers that are there twice.
    pub(super) fn get(&self, name: &str) -> Result<Option<Stretch>, String> {
        match self {
            Self::Tar { files, links } => {
                let mut name = name;
                for _ in 0..LINKS {
                    if let Some(stretch) = files.get(name) {
                        return Ok(Some(stretch.clone()));
                    }
                    let Some(target) = links.get(name) else { return Ok(None) };
                    name = target;
                }
                Err(format!("{name}: too many links"))
            }
            Self::Folder(folder) => {
                let file = folder.join(name);
                // Through a link: a folder of blobs may be shared.
                match fs::metadata(&file) {
                    Ok(meta) if meta.is_file() => Ok(Some(Stretch { file, offset: 0, size: meta.len() })),
                    Ok(_) => Err(format!("{name} is no regular file")),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                    Err(error) => Err(format!("{name}: {error}")),
                }
            }
        }
    }

    /// A blob of an OCI layout.
    pub(super) fn blob(&self, digest: &str) -> Result<Stretch, String> {
        if !is_digest(digest) {
            return Err(format!("{digest:?} is no sha256 digest"));
        }
        self.get(&format!("blobs/{}", digest.replacen(':', "/", 1)))?.ok_or_else(|| format!("it lacks {digest}: the archive is cut"))
    }

    /// A blob that is a text, and that is what its digest says.
    pub(super) fn document(&self, name: &str) -> Result<(Stretch, Vec<u8>), String> {
        let stretch = self.blob(name)?;
        let text = stretch.text()?;
        match digest(&text) {
            is if is == name => Ok((stretch, text)),
            is => Err(format!("what it holds as {name} is {is}")),
        }
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

fn tar(path: &Path) -> Result<Members, String> {
    let said = |error: io::Error| error.to_string();
    let mut file = File::open(path).map_err(said)?;
    let length = file.metadata().map_err(said)?.len();
    let mut magic = [0; 4];
    let read = file.read(&mut magic).map_err(said)?;
    if let Some(packer) = packer(&magic[..read]) {
        return Err(format!("it is packed by {packer} as a whole: unpack it first; its layers may be packed"));
    }
    file.rewind().map_err(said)?;
    let (mut files, mut links) = (BTreeMap::new(), BTreeMap::new());
    let mut tar = tar::Archive::new(Headers { file, left: HEADERS });
    for entry in tar.entries_with_seek().map_err(said)? {
        let entry = entry.map_err(said)?;
        let name = entry.path().map_err(said)?.to_string_lossy().trim_start_matches("./").to_owned();
        let kind = entry.header().entry_type();
        if kind.is_file() {
            let stretch = Stretch { file: path.into(), offset: entry.raw_file_position(), size: entry.size() };
            if stretch.offset.checked_add(stretch.size).is_none_or(|end| end > length) {
                return Err(format!("it ends in the middle of {name}: the archive is cut"));
            }
            if files.insert(name.clone(), stretch).is_some() {
                return Err(format!("it holds {name} twice"));
            }
        } else if kind.is_symlink() || kind.is_hard_link() {
            let target = entry.link_name().map_err(said)?.unwrap_or_default();
            let from = if kind.is_symlink() { Path::new(&name).parent() } else { None };
            // One that leads out of the tar leads nowhere.
            if let Some(target) = within(&from.unwrap_or(Path::new("")).join(target)) {
                links.insert(name, target);
            }
        }
    }
    Ok(Members::Tar { files, links })
}

/// What packed a file, by its first bytes (RFC 1952, RFC 8878).
pub(super) fn packer(magic: &[u8]) -> Option<&'static str> {
    match magic {
        [0x1f, 0x8b, ..] => Some("gzip"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some("zstd"),
        _ => None,
    }
}

/// A path in a tar without `.` and `..`; none: it leads out.
fn within(path: &Path) -> Option<String> {
    let mut parts = Vec::new();
    for part in path.components() {
        match part {
            std::path::Component::Normal(part) => parts.push(part.to_string_lossy()),
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir => drop(parts.pop()?),
            std::path::Component::RootDir | std::path::Component::Prefix(_) => return None,
        }
    }
    Some(parts.join("/"))
}

/// A tar of which little more than the headers is read; what they may take is bounded.
struct Headers {
    file: File,
    left: u64,
}

impl Read for Headers {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(into)?;
        let over = || io::Error::other(format!("the names of its files alone take more than {HEADERS} bytes"));
        self.left = self.left.checked_sub(read as u64).ok_or_else(over)?;
        Ok(read)
    }
}

impl Seek for Headers {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}
