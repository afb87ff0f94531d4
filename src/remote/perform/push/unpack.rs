//! A plain layer that the host holds packed, as it came from a registry: the host unpacks it, and nothing is sent.

use crate::model::Blob;
use crate::remote::STORE;
use crate::remote::perform::spool::{FOLDER, hex};
use crate::remote::shell::Parcel;

/// Makes the blob of what containerd holds as `packed`, as one part. A host that can't, or makes something else of it, is found out when the
/// part is imported.
pub(super) fn parcel(blob: &Blob, packed: &str) -> Parcel {
    // By the first bytes, as in RFC 1952: what it is, nobody tells.
    let script = format!(
        "cd {FOLDER} || exit\numask 077\np={STORE}/{packed}\n\
         case $(head -c 2 \"$p\" | od -An -tx1) in *'1f 8b'*) gzip -dc <\"$p\" ;; *) zstd -dcq --no-sparse <\"$p\" ;; esac | head -c {size} >{plain}-0\n",
        packed = hex(packed),
        size = blob.size,
        plain = hex(&blob.digest),
    );
    // Of what it stands for, all is there already.
    Parcel { script, payload: Vec::new(), size: 0 }
}
