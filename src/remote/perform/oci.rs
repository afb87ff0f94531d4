//! An image as the tar of an OCI layout, which `ctr images import -` takes under the right names.

use std::io::{self, Read, Write};

use tokio::io::AsyncRead;
use tokio::net::unix::pipe;

use crate::images::Layout;

/// A tar to be sent.
pub(super) struct Archive {
    pub(super) bytes: Box<dyn AsyncRead + Send + Unpin>,
    pub(super) size: u64,
}

/// Writes the tar from a thread into a pipe; its length is known before.
pub(super) fn stream(layout: Layout) -> io::Result<Archive> {
    let mut counted = Count(0);
    write(&layout, &mut counted, |_, size| Ok(Box::new(io::repeat(0).take(size))))?;
    let (reader, mut writer) = io::pipe()?;
    let reader = pipe::Receiver::from_owned_fd(reader.into())?;
    // A reader that goes away ends the thread by a broken pipe; one that waits for bytes that never come sees the end.
    std::thread::spawn(move || write(&layout, &mut writer, |digest, _| layout.blob(digest).map(|blob| blob as Box<dyn Read>)));
    Ok(Archive { bytes: Box::new(reader), size: counted.0 })
}

fn write(layout: &Layout, to: &mut dyn Write, open: impl Fn(&str, u64) -> io::Result<Box<dyn Read>>) -> io::Result<()> {
    let mut tar = tar::Builder::new(to);
    let mut append = |name: &str, size: u64, bytes: &mut dyn Read| {
        let mut header = tar::Header::new_gnu();
        header.set_size(size);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, bytes)
    };
    let index = layout.index();
    for (name, text) in [("oci-layout", &br#"{"imageLayoutVersion":"1.0.0"}"#[..]), ("index.json", &index)] {
        append(name, text.len() as u64, &mut &*text)?;
    }
    for blob in &layout.image().blobs {
        append(&format!("blobs/{}", blob.digest.replacen(':', "/", 1)), blob.size, &mut open(&blob.digest, blob.size)?)?;
    }
    tar.finish()
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
