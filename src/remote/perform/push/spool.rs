//! Where blobs lie on the host until they are whole: an OCI layout of root's that nobody else can enter, and that goes when the image
//! was imported. Blobs are called by their digests from their first byte on, so that a run finds what one before it had sent.

use super::wire::Codec;
use super::{CTR, STRICT, pin};
use crate::model::Blob;
use crate::remote::quote::quote;

pub(super) const FOLDER: &str = "/var/lib/bedplate/spool";
/// In it, as image-spec wants it.
pub(super) const BLOBS: &str = "/var/lib/bedplate/spool/blobs/sha256";

/// A blob in the spool was not what it is called. It is gone.
pub(super) const SPOILT: i32 = 81;
/// containerd lacks a blob that it had when it was asked.
pub(super) const COLLECTED: i32 = 82;

pub(super) fn hex(blob: &Blob) -> &str {
    blob.digest.trim_start_matches("sha256:")
}

/// Takes in what begins at `offset` of a blob, behind what is there.
pub(super) fn piece(blob: &Blob, offset: u64, codec: Codec) -> String {
    format!(
        "cd {BLOBS} || exit\numask 077\nn=$(stat -c %s {hex} 2>/dev/null || echo 0)\n\
         [ \"$n\" = {offset} ] || {{ echo \"{hex} has $n bytes in the spool, not {offset}\" >&2; exit 1; }}\n{unpack} >>{hex}\n",
        hex = hex(blob),
        unpack = codec.unpack(),
    )
}

/// Imports what came and what containerd has, under all names, and looks whether it is whole. The payload is the index.
pub(super) fn import(names: &[String], sent: &[&Blob], all: &[Blob]) -> String {
    let files: String = sent.iter().map(|blob| format!(" blobs/sha256/{}", hex(blob))).collect();
    let checks: String = sent
        .iter()
        .map(|blob| {
            let hex = hex(blob);
            format!("echo '{hex}  blobs/sha256/{hex}' | sha256sum -c --status || {{ rm -f blobs/sha256/{hex}; echo 'what arrived of {hex} is something else' >&2; exit {SPOILT}; }}\n")
        })
        .collect();
    let ready: String = names
        .iter()
        .map(|name| format!("[ \"$({CTR} images check -q {})\" = {} ] || r=${{r:-1}}\n", quote(&format!("name=={name}")), quote(name)))
        .collect();
    let known: String = all.iter().map(|blob| format!(" {}", blob.digest)).collect();
    let pins: String = names.iter().map(|name| format!("{}\n", pin(name))).collect();
    format!(
        "{STRICT}cd {FOLDER}\numask 077\ncat >index.json\necho '{{\"imageLayoutVersion\":\"1.0.0\"}}' >oci-layout\n{checks}\
         r=\ntar -cf - oci-layout index.json{files} | {CTR} images import - >/dev/null || r=$?\n{ready}\
         if [ -n \"$r\" ]; then\nheld=$({CTR} content ls -q)\n\
         for d in{known}; do case $held in *$d*) ;; *) echo \"containerd lacks $d\" >&2; exit {COLLECTED} ;; esac; done\n\
         echo 'the image is not whole after its import (k3s ctr images check)' >&2; exit \"$r\"\nfi\n\
         {pins}rm -f oci-layout index.json{files}\n"
    )
}

/// Gives the room back.
pub(super) fn empty() -> String {
    format!("rm -rf {FOLDER}\n")
}
