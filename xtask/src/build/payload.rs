//! The node artifact: one executable file with the programs that it unpacks appended to it, as k3s carries its own.
//!
//! The file is the node program, a gzip'd tar, the tar's length (8 bytes, big-endian) and [`MAGIC`].

use std::fs::{self, File};
use std::io::{Seek, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use flate2::{Compression, write::GzEncoder};
use tar::Builder;

use super::image::append;

/// Ends the file, so that the node knows that a payload precedes it.
pub const MAGIC: &[u8; 16] = b"bedplate-payload";

/// A file of the payload.
pub struct Member {
    /// Where the node unpacks it, below its data folder.
    pub path: String,
    /// Where it comes from.
    pub source: PathBuf,
    /// 0755 for programs, 0644 for manifests.
    pub mode: u32,
}

/// Writes the artifact at `out` from the program `node` and the payload's members, in their order.
pub fn pack(node: &Path, members: &[Member], out: &Path) -> Result<()> {
    fs::copy(node, out).with_context(|| format!("copy {} to {}", node.display(), out.display()))?;
    let mut file = File::options().append(true).open(out).with_context(|| format!("open {}", out.display()))?;
    let start = file.seek(std::io::SeekFrom::End(0))?;
    let mut tar = Builder::new(GzEncoder::new(&mut file, Compression::fast()));
    for member in members {
        let text = fs::read(&member.source).with_context(|| format!("read {}", member.source.display()))?;
        append(&mut tar, &member.path, &text, member.mode)?;
    }
    tar.into_inner()?.finish()?;
    let length = file.seek(std::io::SeekFrom::End(0))? - start;
    file.write_all(&length.to_be_bytes())?;
    file.write_all(MAGIC)?;
    file.set_permissions(fs::Permissions::from_mode(0o755))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;

    #[test]
    fn the_trailer_leads_back_to_the_payload() {
        let held = tempfile::tempdir().unwrap();
        let dir = held.path();
        fs::write(dir.join("node"), "ELF").unwrap();
        fs::write(dir.join("runc"), "runs").unwrap();
        let member = Member { path: "bin/runc".to_owned(), source: dir.join("runc"), mode: 0o755 };
        pack(&dir.join("node"), &[member], &dir.join("k3s")).unwrap();

        let bytes = fs::read(dir.join("k3s")).unwrap();
        let (rest, magic) = bytes.split_at(bytes.len() - 16);
        let (rest, length) = rest.split_at(rest.len() - 8);
        assert_eq!(magic, MAGIC);
        let (node, payload) = rest.split_at(rest.len() - u64::from_be_bytes(length.try_into().unwrap()) as usize);
        assert_eq!(node, b"ELF");
        let mut tar = tar::Archive::new(GzDecoder::new(payload));
        let mut entry = tar.entries().unwrap().next().unwrap().unwrap();
        assert_eq!(entry.path().unwrap().to_str(), Some("bin/runc"));
        assert_eq!(entry.header().mode().unwrap(), 0o755);
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        assert_eq!(text, "runs");
    }
}
