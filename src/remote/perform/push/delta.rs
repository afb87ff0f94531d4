//! A layer as what differs from one that the host has: zstd takes the old one for a dictionary.

use std::io::{self, Read as _, Write as _};
use std::sync::Arc;

use super::STORE;
use super::held::Held;
use super::spool::{self, BLOBS};
use super::wire::LEVEL;
use crate::images::{Kept, Layout};
use crate::model::Blob;
use crate::remote::shell::Parcel;

/// The first zstd with `--patch-from` (zstd: CHANGELOG).
const KNOWS: (u32, u32, u32) = (1, 4, 5);
/// Most that old and new may measure together, for the window that the host's zstd is allowed.
const LARGEST: u64 = 1 << 30;

/// Makes one, if there is something to make it from and it is less than what else would be sent.
pub(super) async fn parcel(kept: &Kept, layout: &Arc<Layout>, blob: &Blob, from: u64, held: &Held) -> Option<Parcel> {
    held.zstd.filter(|version| *version >= KNOWS)?;
    let base = kept.base(layout.image(), blob, |digest| held.store.contains(digest))?;
    let (kept, layout, blob, memory) = (kept.clone(), Arc::clone(layout), blob.clone(), held.memory);
    let made = tokio::task::spawn_blocking(move || {
        let old = kept.read(&base)?;
        // The host's zstd holds both at once.
        let both = old.len() as u64 + blob.size;
        if both > LARGEST || both > memory / 2 {
            return Ok(None);
        }
        let mut new = Vec::new();
        layout.blob(&blob.digest)?.read_to_end(&mut new)?;
        let payload = patch(&old, &new)?;
        let less = (payload.len() as u64) < blob.size - from;
        Ok::<_, io::Error>(less.then(|| Parcel { script: script(&blob, &base), payload, size: blob.size - from }))
    });
    // A base that can't be read is none.
    made.await.ok()?.ok()?
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

/// Makes the blob from its base, in place of what had come of it.
fn script(blob: &Blob, base: &str) -> String {
    format!(
        "cd {BLOBS} || exit\numask 077\n\
         zstd -dcq --no-sparse --long=31 --patch-from={STORE}/{base} >{hex} || {{ rm -f {hex}; exit 1; }}\n",
        base = base.trim_start_matches("sha256:"),
        hex = spool::hex(blob),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_alike_is_not_sent() {
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
