//! A host's disk.

use std::path::{Component, Path};

use bedplate::model::FileKind;
use sha2::{Digest, Sha256};

use super::Host;

#[derive(Clone)]
pub struct File {
    pub kind: FileKind,
    pub bytes: Vec<u8>,
    pub digest: String,
    pub mode: u32,
    pub owner: (u32, u32),
    pub modified: u64,
}

pub fn digest_of(text: &str) -> String {
    format!("{:x}", Sha256::digest(text))
}

/// Where helm's chart and values lie while it runs.
const WORKPLACE: &str = "/run/bedplate/";
/// How files begin that do not bear their name yet.
const TEMPORARY: &str = ".bedplate-";

impl Host {
    pub fn put(&mut self, path: &str, kind: FileKind, bytes: Vec<u8>, mode: u32, owner: (u32, u32)) {
        let modified = self.tick();
        let digest = format!("{:x}", Sha256::digest(&bytes));
        self.files.insert(path.into(), File { kind, bytes, digest, mode, owner, modified });
    }

    /// The folders above `path` that are not there.
    pub fn lacking<'p>(&self, path: &'p str) -> Vec<&'p str> {
        let above = path.match_indices('/').filter(|(at, _)| *at > 0).map(|(at, _)| &path[..at]);
        above.filter(|folder| !self.files.contains_key(*folder)).collect()
    }

    /// As `mkdir -p`, but each new folder gets the owner of what will lie there.
    pub fn parents(&mut self, path: &str, owner: (u32, u32)) {
        for folder in self.lacking(path) {
            self.put(folder, FileKind::Folder, Vec::new(), 0o755, owner);
        }
    }

    /// A file beside `path` that does not bear its name yet, in place of those that killed runs left.
    pub fn temporary(&mut self, path: &str, unique: &str) {
        self.tidy(path);
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        self.put(&format!("{folder}/{TEMPORARY}{unique}"), FileKind::File, b"half".into(), 0o600, (0, 0));
    }

    pub(super) fn tidy(&mut self, path: &str) {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let left = format!("{folder}/{TEMPORARY}");
        self.files.retain(|path, _| path.strip_prefix(&left).is_none_or(|rest| rest.contains('/')));
    }

    /// helm at work: what a killed one left goes.
    pub fn workplace(&mut self, unique: &str) {
        self.clear_workplace();
        self.put(&format!("{WORKPLACE}release-{unique}"), FileKind::Folder, Vec::new(), 0o700, (0, 0));
    }

    /// helm is done.
    pub(super) fn clear_workplace(&mut self) {
        self.files.retain(|path, _| !path.starts_with(WORKPLACE));
    }

    /// Where `path` leads; `None` if there is nothing.
    pub(super) fn follow(&self, path: &Path) -> Option<&File> {
        let file = self.files.get(path.to_str()?)?;
        let FileKind::Link(target) = &file.kind else { return Some(file) };
        let mut end = path.parent()?.to_path_buf();
        for part in Path::new(target).components() {
            match part {
                Component::ParentDir => drop(end.pop()),
                Component::CurDir => {}
                // A root begins anew.
                part => end.push(part),
            }
        }
        self.follow(&end)
    }
}
