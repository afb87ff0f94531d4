//! A blob on its way to a host: it is what its digest says, unpacks to what its config tells, and not to far more than any layer does.

use std::io::{self, Read, Write};

use sha2::{Digest as _, Sha256};

use super::members::packer;
use crate::model::Blob;

/// What a layer may unpack to, whatever its size.
const SMALL: u64 = 1 << 30;
/// How many times its own size a layer may unpack to beyond that. Text gets ten times smaller, zeros a thousand.
const RATIO: u64 = 100;
/// zstd's window, as a power of two: what `zstd --long` takes.
const WINDOW: u32 = 27;

/// Fails at the blob's end, or once it unpacks to too much.
pub(super) struct Checked<R> {
    bytes: R,
    blob: Blob,
    hash: Sha256,
    read: u64,
    layer: Layer,
    /// It was seen to be what it should, whoever asks for more.
    whole: bool,
}

/// A layer's bytes as they unpack.
enum Layer {
    /// Not a byte was seen yet, or it is no layer.
    Unknown,
    Plain,
    Gzip(Box<flate2::write::MultiGzDecoder<Unpacked>>),
    Zstd(Box<zstd::stream::write::Decoder<'static, Unpacked>>),
}

/// Counts and hashes, and keeps nothing.
struct Unpacked {
    hash: Sha256,
    size: u64,
    most: u64,
}

impl<R: Read> Checked<R> {
    pub(super) fn new(bytes: R, blob: Blob) -> Self {
        Self { bytes, blob, hash: Sha256::new(), read: 0, layer: Layer::Unknown, whole: false }
    }

    fn take(&mut self, chunk: &[u8]) -> io::Result<()> {
        if self.read == 0 && self.blob.diff_id.is_some() {
            self.layer = Layer::of(chunk, self.blob.size)?;
        }
        self.read += chunk.len() as u64;
        self.hash.update(chunk);
        match &mut self.layer {
            Layer::Unknown | Layer::Plain => Ok(()),
            Layer::Gzip(layer) => layer.write_all(chunk),
            Layer::Zstd(layer) => layer.write_all(chunk),
        }
    }

    fn end(&mut self) -> io::Result<()> {
        let is = format!("sha256:{:x}", self.hash.finalize_reset());
        if is != self.blob.digest {
            return Err(io::Error::other(format!("what it holds as {} is {is}", self.blob.digest)));
        }
        let unpacked = match std::mem::replace(&mut self.layer, Layer::Unknown) {
            Layer::Unknown => return Ok(()),
            Layer::Plain => is,
            Layer::Gzip(layer) => layer.finish()?.digest(),
            Layer::Zstd(mut layer) => {
                layer.flush()?;
                layer.into_inner().digest()
            }
        };
        match &self.blob.diff_id {
            Some(told) if *told != unpacked => {
                Err(io::Error::other(format!("{} unpacks to {unpacked}, and its config tells of {told}", self.blob.digest)))
            }
            _ => Ok(()),
        }
    }
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read(into)?;
        let checked = match read {
            0 if into.is_empty() || self.whole => Ok(()),
            0 => self.end().map(|()| self.whole = true),
            _ => self.take(&into[..read]),
        };
        checked.map(|()| read)
    }
}

impl Layer {
    fn of(begins: &[u8], size: u64) -> io::Result<Self> {
        let unpacked = Unpacked { hash: Sha256::new(), size: 0, most: SMALL.max(size.saturating_mul(RATIO)) };
        Ok(match packer(begins) {
            None => Self::Plain,
            Some("gzip") => Self::Gzip(Box::new(flate2::write::MultiGzDecoder::new(unpacked))),
            Some(_) => {
                let mut layer = zstd::stream::write::Decoder::new(unpacked)?;
                layer.window_log_max(WINDOW)?;
                Self::Zstd(Box::new(layer))
            }
        })
    }
}

impl Unpacked {
    fn digest(self) -> String {
        format!("sha256:{:x}", self.hash.finalize())
    }
}

impl Write for Unpacked {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.size += bytes.len() as u64;
        if self.size > self.most {
            let why = format!("a layer of it unpacks to more than {} bytes, {RATIO} times its own size: no image is like that", self.most);
            return Err(io::Error::other(why));
        }
        self.hash.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
