//! The import: what came and what containerd has, as an OCI layout in part.

use std::time::Duration;

use super::archive::Archive;
use super::delta::UNMADE;
use super::job::{self, MAIN, WAITING};
use super::{K3S_CTR, PINNED, STRICT, ctr, pin};
use crate::model::Blob;
use crate::remote::STORE;
use crate::remote::ask::images::LIST;
use crate::remote::perform::spool::{self, FOLDER, Part};
use crate::remote::quote::quote;

/// Blobs in the spool were not what they are called. They are gone.
pub(super) const SPOILT: i32 = 81;
/// containerd lacks a blob that it had when it was asked, or had one that was something else. That is gone.
pub(super) const COLLECTED: i32 = 82;

/// What is imported, and how.
pub(super) struct Import<'a> {
    pub(super) names: &'a [String],
    /// Makes some of what came of what the host holds, in the spool; sets `unmade` where it can't.
    pub(super) made: &'a str,
    /// What comes, as it lies in the spool then.
    pub(super) sent: &'a [(&'a Blob, Vec<Part>)],
    /// What the image consists of.
    pub(super) all: &'a [Blob],
    pub(super) patience: Duration,
}

/// Defines `import`: it brings the archive on its standard input into containerd, pinned. `--local`: else containerd 2 leaves it to its transfer
/// service, which takes twice as long. containerd 1 knows not both options, says so (`$d/refused`) before it reads a byte, and imports so anyhow;
/// then `$d/plain` tells that the pins are to come.
fn takes() -> String {
    format!(
        "import() {{\nr=0\n{MAIN} {K3S_CTR} images import --local --label {PINNED} - 2>\"$d/refused\" || r=$?\n\
         case $r$(cat \"$d/refused\") in\n0*) ;;\n\
         *'flag provided but not defined'*) : >\"$d/plain\"; {MAIN} {K3S_CTR} images import -; return ;;\nesac\n\
         cat \"$d/refused\" >&2\nreturn $r\n}}\n"
    )
}

/// Imports what came, or is still on its way, and what containerd has, under all names, looks whether it is whole, and prints what the CRI has
/// then: a job. Its payload is what else is in the archive. Where nobody is left to say that all has come it is given up, and what came stays.
pub(super) fn script(import: &Import<'_>, archive: &Archive) -> String {
    let Import { names, sent, all, patience, .. } = import;
    let ctr = ctr(*patience);
    let prints: String =
        sent.iter().enumerate().map(|(at, (blob, parts))| format!("p{at}() {{ :\n{}}}\n", job::parts(&blob.digest, parts))).collect();
    let ready: String = names
        .iter()
        .map(|name| format!("[ \"$({ctr} images check -q {})\" = {} ] || r=${{r:-1}}\n", quote(&format!("name=={name}")), quote(name)))
        .collect();
    let pins: String = names.iter().map(|name| format!("{}\n", pin(name))).collect();
    // What a try before this one sent is held by now, and is not sent again.
    let gone: String = all.iter().map(|blob| format!("{}\n", spool::gone(&blob.digest))).collect();
    format!(
        "{STRICT}cd {FOLDER}\numask 077\n{WAITING}r=\n{takes}{prints}{{\n{gives}}} | import >/dev/null || r=$?\nrm -f \"$d/main\"\n\
         [ ! -e \"$d/unmade\" ] || exit {UNMADE}\n[ -e \"$d/fed\" ] || exit 1\n{LIST} &\n{ready}wait $! || true\n\
         if [ -n \"$r\" ]; then\n{judges}fi\n\
         if [ -e \"$d/plain\" ]; then :\n{pins}fi\n{gone}",
        takes = takes(),
        gives = gives(import, archive),
        judges = judges(import, &ctr),
    )
}

/// Prints the archive, each blob by its own function `p0`, `p1`, …; meanwhile what came is checked blob by blob. containerd imports nothing
/// without the index, which comes last: not before all has come, and not where a blob is spoilt or one that containerd had is gone by then.
/// Most hosts have an openssl, which leaves SHA-256 to the processor; coreutils' takes several times as long.
fn gives(import: &Import<'_>, archive: &Archive) -> String {
    let Import { made, sent, all, .. } = import;
    let checks: String = sent
        .iter()
        .enumerate()
        .map(|(at, (blob, _))| {
            let (hex, spoilt) = (spool::hex(&blob.digest), spool::spoilt(&blob.digest));
            format!(
                "s=$(p{at} | openssl dgst -sha256 -r 2>/dev/null) || s=$(p{at} | sha256sum)\n\
                 case $s in {hex}*) ;; *) fed || exit 1; : >{spoilt}; echo 'what arrived of {hex} is something else' >&2; bad=1 ;; esac\n"
            )
        })
        .collect();
    let mut between = archive.between.iter().map(|own| format!("head -c {own}\n"));
    let tar: String = between.by_ref().take(sent.len()).enumerate().map(|(at, own)| format!("{own}p{at}\n")).collect();
    let index: String = between.collect();
    // What somebody made containerd forget may lie there until it next collects: then the image is found not to be whole.
    let lacks = |digest: &str| !sent.iter().any(|(blob, _)| blob.digest == digest);
    let base: String = all.iter().filter(|blob| lacks(&blob.digest)).map(|blob| format!(" {}", blob.digest)).collect();
    format!(
        "unmade=\n{{ :\n{made}}} >&2\n[ -z \"$unmade\" ] || {{ : >\"$d/unmade\"; exit; }}\n\
         (\nbad=0\n{checks}exit $bad\n) &\n{tar}fed || exit\nwait $! || exit\n\
         for b in{base}; do [ -e {STORE}/${{b#sha256:}} ] || exit; done\n{index}"
    )
}

/// Ends with why the import failed, or the image is not whole. A name that leads to an image which lacks a blob is taken away: a run that looks
/// at it would take the image for well. What could only not be unpacked is unpacked when a pod wants it (containerd:
/// internal/cri/opts/container.go). containerd never looks again at what it once took in, until it must unpack it: where it can't, what rots in
/// its store is found here.
fn judges(import: &Import<'_>, ctr: &str) -> String {
    let Import { names, sent, all, .. } = import;
    // Not before nobody prints it any more.
    let spoilt: String = sent
        .iter()
        .map(|(blob, _)| format!("[ ! -e {} ] || {{ {}; spoilt=1; }}\n", spool::spoilt(&blob.digest), spool::gone(&blob.digest)))
        .collect();
    let known: String = all.iter().map(|blob| format!(" {}", blob.digest)).collect();
    let unnamed: String = names
        .iter()
        .map(|name| {
            let (filter, name) = (quote(&format!("name=={name}")), quote(name));
            format!("! w=$({ctr} images check -q {filter}) || [ \"$w\" = {name} ] || {ctr} images rm {name} >/dev/null 2>&1 || true\n")
        })
        .collect();
    // Of what is lost the first is told: more would hide what containerd said, of which the end travels.
    format!(
        "spoilt=\n{spoilt}[ -z \"$spoilt\" ] || exit {SPOILT}\nheld=$({ctr} content ls -q) || true\nlost=\n\
         for b in{known}; do\nf={STORE}/${{b#sha256:}}\n\
         case $held in *$b*) ;; *) [ -n \"$lost\" ] || echo \"containerd lacks $b\" >&2; lost=1; continue ;; esac\n\
         {{ [ -f \"$f\" ] && echo \"${{b#sha256:}}  $f\" | sha256sum -c --status; }} || {{\n\
         [ -n \"$lost\" ] || echo \"what containerd holds as $b is gone or something else\" >&2; lost=1; {ctr} content rm \"$b\" >/dev/null || true; rm -f \"$f\"; }}\ndone\n\
         if [ -n \"$lost\" ]; then\n{unnamed}exit {COLLECTED}\nfi\n\
         echo 'the image is not whole after its import (k3s ctr images check)' >&2; exit \"$r\"\n"
    )
}

#[cfg(test)]
#[path = "import_tests.rs"]
mod tests;
