//! A layer as what differs from one that the host has: zstd takes the old one for a dictionary.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::sync::{Mutex, PoisonError};

use super::held::Held;
use super::wire::{Codec, LEVEL};
use crate::images::{Kept, Layout, digest};
use crate::model::{Blob, ImageArchive};
use crate::remote::STORE;
use crate::remote::perform::spool::{self, Part, Parts, Spooled};
use crate::remote::shell::Parcel;

/// The first zstd with `--patch-from` (zstd: CHANGELOG).
const KNOWS: (u32, u32, u32) = (1, 4, 5);

/// One is made at a time.
static TURN: Mutex<()> = Mutex::new(());

/// The host could not make a blob from one of its own.
pub(super) const UNMADE: i32 = 83;

/// What differences can be made of.
pub(super) struct Deltas {
    kept: Kept,
    /// What the host's store holds.
    store: BTreeSet<String>,
    /// What lies in the spool, of former differences, too.
    spooled: Spooled,
    /// Most that old and new may measure together.
    most: u64,
    /// Bytes that the spool has left for differences beside what they make.
    room: Cell<u64>,
}

/// What differs. It lies in the spool by its own digest: of one that is cut the rest is sent.
pub(super) struct Difference {
    digest: String,
    bytes: Vec<u8>,
    /// Where this much of it arrived before a line was cut.
    parts: Parts,
    base: String,
}

/// Why a layer goes whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Whole {
    /// The host's zstd is too old, or absent.
    NoZstd,
    /// Nothing that the host has and we have is like it.
    NoBase,
    Packed,
    /// No layer as large is kept on this machine.
    Large,
    Memory,
    /// The host's disk holds not both.
    Room,
    /// What differs is no less than the layer.
    NotLess,
    /// The host could not make it.
    Unmade,
}

impl fmt::Display for Whole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoZstd => "the host has no zstd of 1.4.5 or later",
            Self::NoBase => "no former one lies both there and in this machine's cache",
            Self::Packed => "packed layers have little in common",
            Self::Large => "layers above 256 MiB are not kept on this machine",
            Self::Memory => "the host's memory holds not both",
            Self::Room => "the host's disk holds not both it and what differs",
            Self::NotLess => "nothing of the former one is in it",
            Self::Unmade => "the first try to bring it there failed",
        })
    }
}

/// Whether it is a layer that is not as large as what is in it.
pub(super) fn is_packed(blob: &Blob) -> bool {
    blob.diff_id.as_ref().is_some_and(|unpacked| *unpacked != blob.digest)
}

/// Whether differences are made of such a blob at all.
pub(super) fn suits(blob: &Blob) -> Result<(), Whole> {
    match blob {
        blob if is_packed(blob) => Err(Whole::Packed),
        blob if blob.size > Kept::LARGEST => Err(Whole::Large),
        _ => Ok(()),
    }
}

impl Deltas {
    /// On a host that is to take in `arriving` bytes.
    pub(super) fn on(held: &Held, kept: Option<&Kept>, arriving: u64) -> Result<Self, Whole> {
        held.zstd.filter(|version| *version >= KNOWS).ok_or(Whole::NoZstd)?;
        let kept = kept.ok_or(Whole::Unmade)?.clone();
        // The host's zstd holds both at once.
        let most = held.memory / 2;
        Ok(Self { kept, store: held.store.clone(), spooled: held.spooled.clone(), most, room: Cell::new(held.spare(arriving)) })
    }

    /// What to make a layer of.
    pub(super) fn base(&self, image: &ImageArchive, blob: &Blob) -> Result<String, Whole> {
        self.kept.base(image, blob, |digest| self.store.contains(digest)).ok_or(Whole::NoBase)
    }

    /// Makes one, if less of it is to be sent than the `lacking` bytes that else would be.
    pub(super) fn difference(&self, layout: &Layout, blob: &Blob, base: &str, lacking: u64) -> Result<Difference, Whole> {
        // Hosts side by side would each hold two layers.
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        // A base that can't be read is none.
        let bytes = self.made(layout, blob, base).map_err(|_| Whole::NoBase)?.ok_or(Whole::Memory)?;
        let digest = digest(&bytes);
        let parts = spool::parts(&self.spooled, &digest, bytes.len() as u64);
        if parts.lacking() >= lacking {
            return Err(Whole::NotLess);
        }
        self.room.set(self.room.get().checked_sub(parts.lacking()).ok_or(Whole::Room)?);
        Ok(Difference { digest, bytes, parts, base: base.to_owned() })
    }

    fn made(&self, layout: &Layout, blob: &Blob, base: &str) -> io::Result<Option<Vec<u8>>> {
        let old = self.kept.read(base)?;
        if old.len() as u64 + blob.size > self.most {
            return Ok(None);
        }
        let mut new = Vec::new();
        layout.blob(&blob.digest)?.read_to_end(&mut new)?;
        patch(&old, &new).map(Some)
    }
}

fn patch(old: &[u8], new: &[u8]) -> io::Result<Vec<u8>> {
    let window = usize::BITS - (old.len() + new.len()).leading_zeros();
    let mut encoder = zstd::Encoder::with_ref_prefix(Vec::new(), LEVEL, old)?;
    encoder.long_distance_matching(true)?;
    encoder.window_log(window.max(20))?;
    encoder.set_pledged_src_size(Some(new.len() as u64))?;
    encoder.write_all(new)?;
    encoder.finish()
}

impl Difference {
    /// What is still to be sent of it, standing for `lacking` bytes of the layer.
    pub(super) fn parcels(&self, lacking: u64) -> impl Iterator<Item = Parcel> {
        let all = self.parts.lacking();
        self.parts.missing.iter().scan(0, move |sent, &Part { offset, size }| {
            let before = *sent * lacking / all;
            *sent += size;
            let payload = self.bytes.get(offset as usize..(offset + size) as usize)?.to_vec();
            let script = spool::part(&self.digest, offset, Codec::Plain.unpack());
            Some(Parcel { script, payload, size: *sent * lacking / all - before })
        })
    }

    /// Makes the layer of it and its base, as one part; in the spool. One that can't be made is noted: there may be others.
    pub(super) fn script(&self, blob: &Blob) -> String {
        let (hex, gone) = (spool::hex(&blob.digest), spool::gone(&self.digest));
        format!(
            "{{ :\n{print}}} | zstd -dcq --no-sparse --long=31 --patch-from={STORE}/{base} >{hex}-0 || {{ rm -f {hex}-0; unmade=1; }}\n{gone}\n",
            print = spool::print(&self.digest, &self.parts.all()),
            base = spool::hex(&self.base),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_suits_is_not_sent() {
        let old: Vec<u8> = (0..3_000_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        let mut new = old[..4_000_000].to_vec();
        new.extend_from_slice(b"one line more");
        new.extend_from_slice(&old[4_000_000..]);
        let patch = patch(&old, &new).unwrap();
        assert!(patch.len() < 4096, "{}", patch.len());
        let mut decoder = zstd::Decoder::with_ref_prefix(patch.as_slice(), &old).unwrap();
        decoder.window_log_max(31).unwrap();
        let mut back = Vec::new();
        decoder.read_to_end(&mut back).unwrap();
        assert!(back == new);
    }
}
