//! A plain layer that the host holds packed, as it came from a registry: the host unpacks it, and nothing is sent. While it does, it reads nothing
//! else: so that is no part of a stream.

use super::wire::Codec;
use crate::model::Blob;
use crate::remote::STORE;
use crate::remote::perform::spool::{FOLDER, hex};

/// Makes the blob of what containerd holds as `packed`, as one part. A host that can't, or makes something else of it, is found out when the
/// part is imported.
pub(super) fn script(blob: &Blob, packed: &str) -> String {
    // By the first bytes, as in RFC 1952: what it is, nobody tells.
    format!(
        "cd {FOLDER} || exit\numask 077\np={STORE}/{packed}\n\
         case $(head -c 2 \"$p\" | od -An -tx1) in *'1f 8b'*) {gzip} <\"$p\" ;; *) {zstd} <\"$p\" ;; esac | head -c {size} >{plain}-0\n",
        packed = hex(packed),
        gzip = Codec::Gzip.unpack(),
        zstd = Codec::Zstd.unpack(),
        size = blob.size,
        plain = hex(&blob.digest),
    )
}
