//! Blobs on their way: cut into parts that are packed ahead of the line.

use std::io::{self, Read, Write as _};
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use futures::future::{BoxFuture, FutureExt as _, ready};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_blocking};

use super::delta::{Deltas, Whole};
use super::shared::Shared;
use crate::images::Layout;
use crate::model::Blob;
use crate::remote::beside::Parcels;
use crate::remote::perform::spool::{self, Part, Parts};
use crate::remote::shell::Parcel;

/// Parts that are packed, or being packed, before the line takes them.
pub(super) const AHEAD: usize = 4;
/// zstd's own choice, and the best for its time here.
pub(super) const LEVEL: i32 = 3;

/// How parts are packed, and unpacked by a program of the host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
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
    fn fit(self, blob: &Blob) -> Self {
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

/// What blobs are sent from, and how.
#[derive(Clone)]
pub(super) struct Load {
    pub(super) layout: Arc<Layout>,
    pub(super) codec: Codec,
    /// None where one host alone is sent to.
    pub(super) shared: Option<Arc<Shared>>,
}

/// How a blob went.
pub(super) struct Fed {
    /// As it lies in the spool once they have arrived.
    pub(super) parts: Vec<Part>,
    /// How it is made where what differs from another went.
    pub(super) made: Option<String>,
    /// Why that did not.
    pub(super) whole: Option<Whole>,
}

/// The parcels that are fed, and what came of it. Who loses interest drops the parcels.
pub(super) fn parcels<T: Send + 'static>(feed: impl FnOnce(&Give) -> T + Send + 'static) -> (Parcels, JoinHandle<T>) {
    let (give, take) = mpsc::channel(AHEAD);
    (take, spawn_blocking(move || feed(&give)))
}

pub(super) type Give = mpsc::Sender<BoxFuture<'static, io::Result<Parcel>>>;

/// Whether it matters how it went: a layer of more than a few small files.
pub(super) fn is_large(blob: &Blob) -> bool {
    blob.diff_id.is_some() && blob.size >= 256 << 10
}

impl Load {
    /// Sends what differs from the base of each, or the blob where that is not worth it: how each went, as long as somebody wanted it.
    pub(super) fn differing(&self, alike: &[(Blob, Parts, String)], deltas: &Deltas, give: &Give) -> Vec<Fed> {
        let mut fed = Vec::new();
        for (blob, parts, base) in alike {
            let wanted = match deltas.difference(&self.layout, blob, base, parts.lacking()) {
                Ok(difference) => {
                    let made = Some(difference.script(blob));
                    fed.push(Fed { parts: vec![Part { offset: 0, size: blob.size }], made, whole: None });
                    let mut parcels = difference.parcels(parts.lacking());
                    parcels.all(|parcel| give.blocking_send(ready(Ok(parcel)).boxed()).is_ok())
                }
                Err(why) => {
                    fed.push(Fed { parts: parts.all(), made: None, whole: is_large(blob).then_some(why) });
                    self.whole(blob, &parts.missing, give)
                }
            };
            if !wanted {
                break;
            }
        }
        fed
    }

    /// Sends these parts of a blob. Whether somebody still wanted them.
    pub(super) fn whole(&self, blob: &Blob, missing: &[Part], give: &Give) -> bool {
        if missing.is_empty() {
            return true;
        }
        let codec = self.codec.fit(blob);
        let packed = self.shared.as_ref().and_then(|shared| shared.packed(&self.layout, blob, codec));
        let Some(packed) = packed.filter(|packed| packed.has(missing)) else { return cut(&self.layout, blob, missing, codec, give) };
        missing.iter().all(|&part| {
            let script = spool::part(&blob.digest, part.offset, codec.unpack());
            let payload = packed.clone().part(part);
            let parcel = async move { Ok(Parcel { script, payload: payload.await?, size: part.size }) };
            give.blocking_send(parcel.boxed()).is_ok()
        })
    }
}

/// Reads a blob, and packs these parts of it. Whether somebody still wanted it.
pub(super) fn cut(layout: &Layout, blob: &Blob, missing: &[Part], codec: Codec, give: &Give) -> bool {
    let read = || -> io::Result<bool> {
        let mut bytes = layout.blob(&blob.digest)?;
        let mut at = 0;
        for &Part { offset, size } in missing {
            io::copy(&mut (&mut bytes).take(offset - at), &mut io::sink())?;
            let mut part = Vec::new();
            (&mut bytes).take(size).read_to_end(&mut part)?;
            at = offset + size;
            let script = spool::part(&blob.digest, offset, codec.unpack());
            let packed = spawn_blocking(move || Ok(Parcel { script, payload: codec.pack(part)?, size }));
            if give.blocking_send(packed.map(|packed| packed.map_err(io::Error::other)?).boxed()).is_err() {
                return Ok(false);
            }
        }
        // What it is shows at its end.
        io::copy(&mut bytes, &mut io::sink())?;
        Ok(true)
    };
    read().unwrap_or_else(|error| {
        // Nobody may be listening any more.
        let _ = give.blocking_send(ready(Err(error)).boxed());
        false
    })
}
