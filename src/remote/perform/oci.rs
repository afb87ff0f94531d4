//! Image archives as a stream that `ctr images import -` takes under the right name.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;
use tokio::io::AsyncRead;
use tokio::net::unix::pipe;

use crate::remote::error::Error;

/// Without it containerd makes up a name of its own for an OCI image (containerd: core/images/annotations.go).
const NAME: &str = "io.containerd.image.name";
/// Larger than any index.
const INDEX: u64 = 4 << 20;

/// A tar to be sent.
pub(super) struct Archive {
    pub(super) bytes: Box<dyn AsyncRead + Send + Unpin>,
    pub(super) size: u64,
}

/// A file of an OCI layout: where its bytes stand.
struct Member {
    name: String,
    bytes: Bytes,
}

enum Bytes {
    /// A stretch of a file on disk.
    At { file: PathBuf, offset: u64, size: u64 },
    /// Made by us.
    Made(Vec<u8>),
}

/// Opens an archive. An OCI layout whose index lacks containerd's name gets it on the way; a folder is sent as a tar.
pub(super) fn open(path: &Path, names: &[String]) -> Result<Archive, Error> {
    read(path, names).map_err(|error| Error::here(&format!("read {}", path.display()), &error))
}

fn read(path: &Path, names: &[String]) -> io::Result<Archive> {
    let mut members = Vec::new();
    if path.is_dir() {
        walk(path, "", &mut members)?;
    } else {
        let mut tar = tar::Archive::new(File::open(path)?);
        for entry in tar.entries_with_seek()? {
            let entry = entry?;
            let name = entry.path()?.to_string_lossy().trim_start_matches("./").to_owned();
            if entry.header().entry_type().is_file() {
                let bytes = Bytes::At { file: path.into(), offset: entry.raw_file_position(), size: entry.size() };
                members.push(Member { name, bytes });
            }
        }
    }
    let docker = members.iter().any(|member| member.name == "manifest.json");
    let index = members.iter_mut().find(|member| member.name == "index.json");
    match index {
        Some(member) if path.is_dir() || !docker => {
            let named = name_index(&member.bytes, names)?;
            member.bytes = Bytes::Made(named);
            stream(members)
        }
        _ => {
            let file = File::open(path)?;
            let size = file.metadata()?.len();
            Ok(Archive { bytes: Box::new(tokio::fs::File::from_std(file)), size })
        }
    }
}

fn walk(folder: &Path, prefix: &str, members: &mut Vec<Member>) -> io::Result<()> {
    let mut entries: Vec<_> = std::fs::read_dir(folder)?.collect::<io::Result<_>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let meta = std::fs::metadata(entry.path())?;
        if meta.is_dir() {
            walk(&entry.path(), &format!("{name}/"), members)?;
        } else {
            members.push(Member { name, bytes: Bytes::At { file: entry.path(), offset: 0, size: meta.len() } });
        }
    }
    Ok(())
}

/// The index with containerd's name on its image: one entry a name.
fn name_index(index: &Bytes, names: &[String]) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    index.reader()?.take(INDEX).read_to_end(&mut text)?;
    let mut index: Value = serde_json::from_slice(&text)?;
    if let Some([entry]) = index["manifests"].as_array().map(Vec::as_slice) {
        let named = names.iter().map(|name| {
            let mut entry = entry.clone();
            entry["annotations"][NAME] = Value::from(name.as_str());
            entry
        });
        index["manifests"] = named.collect();
    }
    Ok(serde_json::to_vec(&index)?)
}

/// Writes the tar from a thread into a pipe; its length is known before.
fn stream(members: Vec<Member>) -> io::Result<Archive> {
    let mut counted = Count(0);
    write(&members, &mut counted, |bytes| Ok(Box::new(io::repeat(0).take(bytes.size()))))?;
    let (reader, mut writer) = io::pipe()?;
    let reader = pipe::Receiver::from_owned_fd(reader.into())?;
    // A reader that goes away ends the thread by a broken pipe; one that waits for bytes that never come sees the end.
    std::thread::spawn(move || write(&members, &mut writer, Bytes::reader));
    Ok(Archive { bytes: Box::new(reader), size: counted.0 })
}

fn write(members: &[Member], to: &mut dyn Write, open: impl Fn(&Bytes) -> io::Result<Box<dyn Read>>) -> io::Result<()> {
    let mut tar = tar::Builder::new(to);
    for Member { name, bytes } in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.size());
        header.set_mode(0o644);
        tar.append_data(&mut header, name, open(bytes)?)?;
    }
    tar.finish()
}

impl Bytes {
    fn size(&self) -> u64 {
        match self {
            Self::At { size, .. } => *size,
            Self::Made(bytes) => bytes.len() as u64,
        }
    }

    fn reader(&self) -> io::Result<Box<dyn Read>> {
        match self {
            Self::At { file, offset, size } => {
                let mut file = File::open(file)?;
                file.seek(SeekFrom::Start(*offset))?;
                Ok(Box::new(file.take(*size)))
            }
            Self::Made(bytes) => Ok(Box::new(io::Cursor::new(bytes.clone()))),
        }
    }
}

/// Counts what is written and keeps nothing.
struct Count(u64);

impl Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::*;

    const INDEX_JSON: &str =
        r#"{"schemaVersion":2,"manifests":[{"digest":"sha256:11","annotations":{"org.opencontainers.image.ref.name":"1"}}]}"#;

    fn layout() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("blobs/sha256")).unwrap();
        std::fs::write(folder.path().join("index.json"), INDEX_JSON).unwrap();
        std::fs::write(folder.path().join("blobs/sha256/11"), vec![7; 1_000_000]).unwrap();
        std::fs::write(folder.path().join("oci-layout"), "{}").unwrap();
        folder
    }

    async fn sent(path: &Path) -> (u64, Vec<u8>) {
        let mut archive = open(path, &["docker.io/shop/web:1".into(), "docker.io/shop/web:2".into()]).unwrap();
        let mut bytes = Vec::new();
        archive.bytes.read_to_end(&mut bytes).await.unwrap();
        (archive.size, bytes)
    }

    fn member(tar: &[u8], wanted: &str) -> Vec<u8> {
        let mut archive = tar::Archive::new(tar);
        let mut entry = archive.entries().unwrap().map(Result::unwrap).find(|entry| entry.path().unwrap() == Path::new(wanted)).unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        bytes
    }

    fn check(size: u64, tar: &[u8]) {
        assert_eq!(size, tar.len() as u64);
        assert_eq!(member(tar, "blobs/sha256/11"), vec![7; 1_000_000]);
        let index: Value = serde_json::from_slice(&member(tar, "index.json")).unwrap();
        assert_eq!(index["manifests"][0]["annotations"][NAME], "docker.io/shop/web:1");
        assert_eq!(index["manifests"][1]["annotations"][NAME], "docker.io/shop/web:2");
    }

    #[tokio::test]
    async fn a_folder_is_sent_as_a_tar_with_names() {
        let folder = layout();
        let (size, tar) = sent(folder.path()).await;
        check(size, &tar);
    }

    #[tokio::test]
    async fn an_oci_tar_gets_names() {
        let folder = layout();
        let path = folder.path().with_extension("tar");
        let mut tar = tar::Builder::new(File::create(&path).unwrap());
        tar.append_dir_all(".", folder.path()).unwrap();
        tar.into_inner().unwrap();
        let (size, tar) = sent(&path).await;
        std::fs::remove_file(path).unwrap();
        check(size, &tar);
    }

    #[tokio::test]
    async fn a_docker_archive_is_sent_as_it_is() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut tar = tar::Builder::new(file.reopen().unwrap());
        let mut header = tar::Header::new_gnu();
        header.set_size(2);
        tar.append_data(&mut header, "manifest.json", &b"[]"[..]).unwrap();
        tar.into_inner().unwrap();
        let (size, bytes) = sent(file.path()).await;
        assert_eq!((size, &bytes), (bytes.len() as u64, &std::fs::read(file.path()).unwrap()));
    }
}
