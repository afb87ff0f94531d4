//! Where blobs lie on the host until they are whole: an OCI layout of root's that nobody else can enter, and that goes when the image
//! was imported. Blobs are called by their digests from their first byte on, so that a run finds what one before it had sent.

use super::wire::Codec;
use super::{CTR, STORE, STRICT, pin};
use crate::model::Blob;
use crate::remote::quote::quote;

pub(super) const FOLDER: &str = "/var/lib/bedplate/spool";
/// In it, as image-spec wants it.
pub(super) const BLOBS: &str = "/var/lib/bedplate/spool/blobs/sha256";

/// Blobs in the spool were not what they are called. They are gone.
pub(super) const SPOILT: i32 = 81;
/// containerd lacks a blob that it had when it was asked, or had one that was something else. That is gone.
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

/// Imports what came and what containerd has, under all names, and looks whether it is whole. The payload is the index. containerd never
/// looks again at what it once took in, until it must unpack it: where it can't, what rots in its store is found here.
pub(super) fn import(names: &[String], sent: &[&Blob], all: &[Blob]) -> String {
    let files: String = sent.iter().map(|blob| format!(" blobs/sha256/{}", hex(blob))).collect();
    let checks: String = sent
        .iter()
        .map(|blob| {
            let hex = hex(blob);
            format!("echo '{hex}  blobs/sha256/{hex}' | sha256sum -c --status || {{ rm -f blobs/sha256/{hex}; echo 'what arrived of {hex} is something else' >&2; gone=1; }}\n")
        })
        .collect();
    let ready: String = names
        .iter()
        .map(|name| format!("[ \"$({CTR} images check -q {})\" = {} ] || r=${{r:-1}}\n", quote(&format!("name=={name}")), quote(name)))
        .collect();
    let known: String = all.iter().map(|blob| format!(" {}", blob.digest)).collect();
    // What a try before this one sent is held by now, and is not sent again.
    let spooled: String = all.iter().map(|blob| format!(" blobs/sha256/{}", hex(blob))).collect();
    let pins: String = names.iter().map(|name| format!("{}\n", pin(name))).collect();
    format!(
        "{STRICT}cd {FOLDER}\numask 077\ngone=\ncat >index.json\necho '{{\"imageLayoutVersion\":\"1.0.0\"}}' >oci-layout\n{checks}\
         [ -z \"$gone\" ] || exit {SPOILT}\nr=\ntar -cf - oci-layout index.json{files} | {CTR} images import - >/dev/null || r=$?\n{ready}\
         if [ -n \"$r\" ]; then\nheld=$({CTR} content ls -q)\n\
         for d in{known}; do\nf={STORE}/${{d#sha256:}}\n\
         case $held in *$d*) ;; *) echo \"containerd lacks $d\" >&2; gone=1; continue ;; esac\n\
         [ ! -f \"$f\" ] || echo \"${{d#sha256:}}  $f\" | sha256sum -c --status || {{\n\
         echo \"what containerd holds as $d is something else\" >&2; gone=1; {CTR} content rm \"$d\" >/dev/null; rm -f \"$f\"; }}\ndone\n\
         [ -z \"$gone\" ] || exit {COLLECTED}\n\
         echo 'the image is not whole after its import (k3s ctr images check)' >&2; exit \"$r\"\nfi\n\
         {pins}rm -f oci-layout index.json{spooled}\n"
    )
}

/// Gives the room back.
pub(super) fn empty() -> String {
    format!("rm -rf {FOLDER}\n")
}
