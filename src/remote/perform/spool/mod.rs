//! Where what is large lies on the host until it is whole: a folder of root's that nobody else can enter. A file is called by its digest
//! from its first byte on, so that a run finds what one before it had sent, and goes when it was put to use.

mod parts;

use std::collections::BTreeMap;
use std::time::Duration;

pub(super) use self::parts::{Part, Parts};
use super::{SHORT, STRICT};
use crate::remote::Remote;
use crate::remote::error::Error;

pub(super) const FOLDER: &str = "/var/lib/bedplate/spool";

/// For what is under way of a part when all of it went out: a window of a line as slow as 5 kB/s.
pub(super) const ARRIVED: Duration = Duration::from_secs(600);

/// What lies there, by digest.
pub(super) type Spooled = BTreeMap<String, Vec<Part>>;

/// Makes the folder and lists it. What a run left there a day ago is nobody's any more.
pub(super) fn look() -> String {
    format!(
        "{STRICT}umask 077\nmkdir -p {FOLDER}\nchmod 0700 {FOLDER}\nfind {FOLDER} -type f -mmin +1440 -delete\n\
         cd {FOLDER}\nfor f in *; do [ ! -f \"$f\" ] || stat -c 'spooled %n %s' -- \"$f\"; done\n"
    )
}

/// Takes in a line of the list; one of another form is none. What is called otherwise is nobody's, and goes in a day.
pub(super) fn listed(spooled: &mut Spooled, name: &str, size: &str) -> Option<()> {
    let size = size.parse().ok()?;
    if let Some((hex, offset)) = name.split_once('-')
        && let Ok(offset) = offset.parse()
    {
        spooled.entry(format!("sha256:{hex}")).or_default().push(Part { offset, size });
    }
    Some(())
}

/// One of so many bytes, by what was found of it.
pub(super) fn parts(spooled: &Spooled, digest: &str, size: u64) -> Parts {
    Parts::of(size, spooled.get(digest).map_or(&[], Vec::as_slice))
}

pub(super) fn hex(digest: &str) -> &str {
    digest.trim_start_matches("sha256:")
}

/// Takes in a part, as `unpack` prints it. A worker that outlives its run writes what this one would write.
pub(super) fn part(digest: &str, offset: u64, unpack: &str) -> String {
    format!("cd {FOLDER} || exit\numask 077\n{unpack} >{}-{offset}\n", hex(digest))
}

/// Prints what the parts make, a line of shell for each; in the folder.
pub(super) fn print(digest: &str, parts: &[Part]) -> String {
    parts.iter().map(|Part { offset, size }| format!("head -c {size} {}-{offset}\n", hex(digest))).collect()
}

/// Notes that what the parts of one make is something else; in the folder. It goes with them.
pub(super) fn spoilt(digest: &str) -> String {
    format!("{}-spoilt", hex(digest))
}

/// Removes all parts of one; in the folder.
pub(super) fn gone(digest: &str) -> String {
    format!("rm -f {}-*", hex(digest))
}

impl Remote {
    /// Where the disk is full, what lies in the spool must not stay.
    pub(super) async fn gave_way<T>(&self, done: Result<T, Error>) -> Result<T, Error> {
        match done {
            Err(Error::Script { stderr, .. }) if stderr.to_lowercase().contains("no space left on device") => {
                // The log may lie on the same disk.
                self.run_alone(&format!("rm -rf {FOLDER}\n"), SHORT).await?.succeeded()?;
                Err(Error::Full(format!("the host's disk filled up: {}", stderr.trim())))
            }
            done => done,
        }
    }
}
