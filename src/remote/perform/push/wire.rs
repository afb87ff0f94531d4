//! A blob on its way: cut into pieces that are packed ahead of the line.

use std::io::{self, Read, Write as _};
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::sync::mpsc;

use super::spool;
use crate::images::Layout;
use crate::model::Blob;
use crate::remote::shell::Parcel;

/// Bytes of a piece before it is packed: matches don't reach from one into another, so it is much more than a window.
const PIECE: u64 = 16 << 20;
/// Pieces that wait, packed, for the line.
const AHEAD: usize = 1;
/// zstd's own choice, and the best for its time here.
pub(super) const LEVEL: i32 = 3;

/// How pieces are packed, and unpacked by a program of the host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Codec {
    Zstd,
    /// Every host has it.
    #[default]
    Gzip,
    /// For what is packed already.
    Plain,
}

impl Codec {
    /// What suits a blob, on a host that knows `self`.
    pub(super) fn fit(self, blob: &Blob) -> Self {
        let packed = blob.media_type.ends_with("gzip") || blob.media_type.ends_with("zstd");
        if packed { Self::Plain } else { self }
    }

    /// The program that unpacks its input to its output, as far as that came.
    pub(super) const fn unpack(self) -> &'static str {
        match self {
            Self::Zstd => "zstd -dcq --no-sparse",
            Self::Gzip => "gzip -dc",
            Self::Plain => "cat",
        }
    }

    fn pack(self, bytes: Vec<u8>) -> io::Result<Vec<u8>> {
        match self {
            Self::Zstd => zstd::bulk::compress(&bytes, LEVEL),
            Self::Gzip => {
                let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
                gzip.write_all(&bytes)?;
                gzip.finish()
            }
            Self::Plain => Ok(bytes),
        }
    }
}

/// One that is made already.
pub(super) fn single(parcel: Parcel) -> mpsc::Receiver<io::Result<Parcel>> {
    let (give, take) = mpsc::channel(1);
    // There is room for one.
    let _ = give.try_send(Ok(parcel));
    take
}

/// The pieces of a blob from the byte `from` on, packed on a thread of their own. Who loses interest drops the receiver.
pub(super) fn pieces(layout: Arc<Layout>, blob: Blob, from: u64, codec: Codec) -> mpsc::Receiver<io::Result<Parcel>> {
    let (give, take) = mpsc::channel(AHEAD);
    tokio::task::spawn_blocking(move || {
        let cut = cut(&layout, &blob, from, codec, &mut |parcel| give.blocking_send(Ok(parcel)).is_ok());
        if let Err(error) = cut {
            // Nobody may be listening any more.
            let _ = give.blocking_send(Err(error));
        }
    });
    take
}

fn cut(layout: &Layout, blob: &Blob, from: u64, codec: Codec, give: &mut dyn FnMut(Parcel) -> bool) -> io::Result<()> {
    let mut bytes = layout.blob(&blob.digest)?;
    io::copy(&mut (&mut bytes).take(from), &mut io::sink())?;
    let mut offset = from;
    loop {
        let mut piece = Vec::new();
        (&mut bytes).take(PIECE).read_to_end(&mut piece)?;
        let size = piece.len() as u64;
        if size == 0 {
            return Ok(());
        }
        let script = spool::piece(blob, offset, codec);
        if !give(Parcel { script, payload: codec.pack(piece)?, size }) {
            return Ok(());
        }
        offset += size;
    }
}
