//! A plain layer that the host holds packed, as it came from a registry: the host unpacks it, and nothing is sent.

use super::wire::Codec;
use crate::model::Blob;
use crate::remote::STORE;
use crate::remote::perform::spool::hex;

/// Makes the blob of what containerd holds as `packed`, as one part; in the spool. A host that can't, or makes something else of it, is found
/// out when the part is imported.
pub(super) fn script(blob: &Blob, packed: &str) -> String {
    // By the first bytes, as in RFC 1952: what it is, nobody tells.
    format!(
        "p={STORE}/{packed}\n\
         case $(head -c 2 \"$p\" | od -An -tx1) in *'1f 8b'*) {gzip} <\"$p\" ;; *) {zstd} <\"$p\" ;; esac | head -c {size} >{plain}-0\n",
        packed = hex(packed),
        gzip = Codec::Gzip.unpack(),
        zstd = Codec::Zstd.unpack(),
        size = blob.size,
        plain = hex(&blob.digest),
    )
}
