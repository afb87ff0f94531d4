//! The tar that the host's importer reads: an OCI layout of the blobs that came. Its headers and the index go along with the script, and
//! the blobs are printed from the spool between them. The index stands last: as long as it is held back, nothing is imported
//! (containerd: core/images/archive/importer.go reads all before it looks for one).

use std::io;

use tar::{EntryType, Header};

use crate::model::Blob;
use crate::remote::perform::spool::hex;

/// What a tar is made of (POSIX: ustar).
const BLOCK: u64 = 512;

/// All of the tar but its blobs.
#[derive(Debug, Default)]
pub(super) struct Archive {
    pub(super) bytes: Vec<u8>,
    /// How many of them stand before each blob, and behind the last, with the index among them.
    pub(super) between: Vec<u64>,
}

impl Archive {
    pub(super) fn of<'a>(index: &[u8], blobs: impl IntoIterator<Item = &'a Blob>) -> io::Result<Self> {
        let mut archive = Self::default();
        archive.file("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#)?;
        let mut before = 0;
        for blob in blobs {
            archive.header(&format!("blobs/sha256/{}", hex(&blob.digest)), blob.size)?;
            before = archive.cut(before);
            archive.fill(blob.size);
        }
        archive.file("index.json", index)?;
        archive.bytes.resize(archive.bytes.len() + 2 * BLOCK as usize, 0);
        archive.cut(before);
        Ok(archive)
    }

    /// A blob stands here.
    fn cut(&mut self, before: u64) -> u64 {
        let end = self.bytes.len() as u64;
        self.between.push(end - before);
        end
    }

    fn file(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.header(name, bytes.len() as u64)?;
        self.bytes.extend_from_slice(bytes);
        self.fill(bytes.len() as u64);
        Ok(())
    }

    fn header(&mut self, name: &str, size: u64) -> io::Result<()> {
        let mut header = Header::new_gnu();
        header.set_path(name)?;
        header.set_size(size);
        header.set_mode(0o600);
        header.set_entry_type(EntryType::Regular);
        header.set_cksum();
        self.bytes.extend_from_slice(header.as_bytes());
        Ok(())
    }

    /// Up to the end of the block in which so many bytes end.
    fn fill(&mut self, size: u64) {
        let rest = size.next_multiple_of(BLOCK) - size;
        self.bytes.extend(std::iter::repeat_n(0, rest as usize));
    }
}
