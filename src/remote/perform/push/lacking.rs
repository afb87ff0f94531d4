//! What of an image a host lacks, and where it comes from.

use super::delta::{Deltas, Whole, is_packed, suits};
use super::held::Held;
use super::wire::is_large;
use crate::model::{Blob, ImageArchive};
use crate::remote::perform::spool::Parts;

/// How many times larger a packed layer is taken to be unpacked: programs shrink to a third.
const UNPACKED: u64 = 3;

/// Blobs in the image's order.
#[derive(Debug)]
pub(super) struct Lacking {
    /// To be sent, as far as they lie not in the spool yet.
    pub(super) missing: Vec<(Blob, Parts)>,
    /// To be made of what the host holds packed, by its digest.
    pub(super) packed: Vec<(Blob, String)>,
}

/// The same by the way it goes.
#[derive(Debug, Default)]
pub(super) struct Sorted {
    /// Each with a layer that the host holds, from which it differs.
    pub(super) alike: Vec<(Blob, Parts, String)>,
    pub(super) other: Vec<(Blob, Parts)>,
    /// Why the large ones among those go whole.
    pub(super) whole: Vec<Whole>,
}

impl Lacking {
    /// Fails in words where there is no room for it.
    pub(super) fn of(image: &ImageArchive, held: &Held) -> Result<Self, String> {
        let mut lacking = Self { missing: Vec::new(), packed: Vec::new() };
        let (mut arriving, mut kept) = (0, 0);
        for blob in &image.blobs {
            let parts = held.parts(blob);
            // What lies whole in the spool is imported from there: what containerd holds of an import that failed goes at any moment.
            if held.store.contains(&blob.digest) && !parts.missing.is_empty() {
                continue;
            }
            arriving += parts.lacking();
            // Once as a blob, once unpacked.
            kept += blob.size + if is_packed(blob) { UNPACKED * blob.size } else { blob.size };
            match held.packed.get(&blob.digest).filter(|_| !parts.missing.is_empty()) {
                Some(packed) => lacking.packed.push((blob.clone(), packed.clone())),
                None => lacking.missing.push((blob.clone(), parts)),
            }
        }
        match held.lacks_room(arriving, kept) {
            Some(why) if image.blobs.iter().any(is_packed) => {
                Err(format!("{why}; unpacked, a layer is taken to be {UNPACKED} times as large"))
            }
            Some(why) => Err(why),
            None => Ok(lacking),
        }
    }

    /// Bytes that are to be sent.
    pub(super) fn arriving(&self) -> u64 {
        self.missing.iter().map(|(_, parts)| parts.lacking()).sum()
    }

    pub(super) fn sorted(&self, image: &ImageArchive, deltas: Result<&Deltas, &Whole>) -> Sorted {
        let mut sorted = Sorted::default();
        for (blob, parts) in self.missing.clone() {
            let wanted = !parts.missing.is_empty();
            match suits(&blob).and_then(|()| deltas.map_err(|why| *why)?.base(image, &blob)) {
                Ok(base) if wanted => sorted.alike.push((blob, parts, base)),
                base => {
                    sorted.whole.extend(base.err().filter(|_| wanted && is_large(&blob)));
                    sorted.other.push((blob, parts));
                }
            }
        }
        sorted
    }
}

#[cfg(test)]
mod tests {
    use super::super::held;
    use super::*;

    fn blob(digest: &str, size: u64) -> Blob {
        Blob { digest: digest.into(), media_type: String::new(), size, diff_id: None }
    }

    #[test]
    fn a_blob_comes_from_the_line_from_the_spool_or_from_what_the_host_holds_packed() {
        let blobs: Vec<Blob> = [("a", 10), ("b", 20), ("c", 30), ("d", 40)].map(|(hex, size)| blob(&format!("sha256:{hex}"), size)).into();
        let image = ImageArchive { names: Vec::new(), id: String::new(), size: 100, blobs };
        let look = |free: u64| {
            let text = format!(
                "sha256:a\nsha256:b\nspooled b-0 20\nspooled c-0 12\nsha256:f sha256:d\ndisk 1 {free} 1\ndisk 1 {free} 1\nmemory 1\n"
            );
            Lacking::of(&image, &held::parse(&text).unwrap())
        };
        let lacking = look(100_000_238).unwrap();
        let missing: Vec<_> = lacking.missing.iter().map(|(blob, parts)| (blob.digest.as_str(), parts.lacking())).collect();
        assert_eq!((missing, lacking.arriving()), (vec![("sha256:b", 0), ("sha256:c", 18)], 18));
        assert_eq!(lacking.packed, [(image.blobs[3].clone(), "sha256:f".to_owned())]);
        // 18 and 40 into the spool, twice 20, 30 and 40 into containerd's store.
        assert!(look(100_000_237).is_err());
    }

    #[test]
    fn a_packed_layer_needs_room_for_what_is_in_it() {
        let blobs = vec![Blob { diff_id: Some("sha256:b".into()), ..blob("sha256:a", 10) }];
        let image = ImageArchive { names: Vec::new(), id: String::new(), size: 10, blobs };
        let look = |free: u64| Lacking::of(&image, &held::parse(&format!("disk 1 {free} 1\ndisk 1 {free} 1\nmemory 1\n")).unwrap());
        // 10 into the spool, 10 and what is taken for 30 into containerd's store.
        assert!(look(100_000_050).is_ok() && look(100_000_049).is_err());
    }

    #[test]
    fn a_layer_that_no_difference_is_made_of_says_so_whatever_the_host_has() {
        let layer = |size, diff_id: &str| Blob { diff_id: Some(diff_id.into()), ..blob("sha256:a", size) };
        let image = ImageArchive { names: Vec::new(), id: String::new(), size: 1, blobs: Vec::new() };
        let why = |layer: Blob| {
            let parts = Parts::of(layer.size, &[]);
            Lacking { missing: vec![(layer, parts)], packed: Vec::new() }.sorted(&image, Err(&Whole::NoZstd)).whole
        };
        let told = [why(layer(1 << 20, "sha256:b")), why(layer(1 << 30, "sha256:a")), why(layer(1 << 20, "sha256:a"))];
        assert_eq!(told, [[Whole::Packed], [Whole::Large], [Whole::NoZstd]]);
    }
}
