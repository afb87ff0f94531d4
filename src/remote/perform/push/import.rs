//! The import: what came and what containerd has, as an OCI layout in part.

use super::archive::Archive;
use super::{CTR, STRICT, pin};
use crate::model::Blob;
use crate::remote::perform::spool::{self, FOLDER, Part};
use crate::remote::quote::quote;

/// A blob in the spool was not what it is called. It is gone.
pub(super) const SPOILT: i32 = 81;
/// containerd lacks a blob that it had when it was asked.
pub(super) const COLLECTED: i32 = 82;

/// Imports what came and what containerd has, under all names, and looks whether it is whole. The payload is what else is in the archive.
pub(super) fn script(names: &[String], sent: &[(&Blob, Vec<Part>)], all: &[Blob], archive: &Archive) -> String {
    let checks: String = sent
        .iter()
        .map(|(blob, parts)| {
            let (hex, print, gone) = (spool::hex(&blob.digest), spool::print(&blob.digest, parts), spool::gone(&blob.digest));
            format!(
                "s=$({{ :\n{print}}} | sha256sum)\n\
                 [ \"$s\" = '{hex}  -' ] || {{ {gone}; echo 'what arrived of {hex} is something else' >&2; exit {SPOILT}; }}\n"
            )
        })
        .collect();
    let blobs = sent.iter().map(|(blob, parts)| spool::print(&blob.digest, parts)).chain([String::new()]);
    let tar: String = archive.between.iter().zip(blobs).map(|(own, blob)| format!("head -c {own}\n{blob}")).collect();
    let ready: String = names
        .iter()
        .map(|name| format!("[ \"$({CTR} images check -q {})\" = {} ] || r=${{r:-1}}\n", quote(&format!("name=={name}")), quote(name)))
        .collect();
    let known: String = all.iter().map(|blob| format!(" {}", blob.digest)).collect();
    let pins: String = names.iter().map(|name| format!("{}\n", pin(name))).collect();
    let gone: String = sent.iter().map(|(blob, _)| format!("{}\n", spool::gone(&blob.digest))).collect();
    format!(
        "{STRICT}cd {FOLDER}\n{checks}\
         r=\n{{\n{tar}}} | {CTR} images import - >/dev/null || r=$?\n{ready}\
         if [ -n \"$r\" ]; then\nheld=$({CTR} content ls -q)\n\
         for d in{known}; do case $held in *$d*) ;; *) echo \"containerd lacks $d\" >&2; exit {COLLECTED} ;; esac; done\n\
         echo 'the image is not whole after its import (k3s ctr images check)' >&2; exit \"$r\"\nfi\n\
         {pins}{gone}"
    )
}

#[cfg(test)]
#[path = "import_tests.rs"]
mod tests;
