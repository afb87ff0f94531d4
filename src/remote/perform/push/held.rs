//! What a host has already of what is to be sent, and how much room.

use std::collections::{BTreeMap, BTreeSet};

use super::wire::Codec;
use super::{SHORT, ctr};
use crate::model::Blob;
use crate::remote::perform::spool::{self, FOLDER, Parts, Spooled};

/// Reads `content ls`: of each blob its digest, and of what it unpacks to, where containerd knows (containerd: pkg/labels).
const DIGESTS: &str = r"sed -n -e 's/^\(sha256:[0-9a-f]*\).*containerd\.io\/uncompressed=\(sha256:[0-9a-f]*\).*/\1 \2/p' -e t \
-e 's/^\(sha256:[0-9a-f]*\).*/\1/p'";

/// Of one look.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Held {
    /// Blobs that containerd's store holds whole.
    pub(super) store: BTreeSet<String>,
    /// Those that are packed, by what they unpack to.
    pub(super) packed: BTreeMap<String, String>,
    /// Parts of blobs in the spool, as far as they came before a line was cut.
    pub(super) spooled: Spooled,
    pub(super) codec: Codec,
    /// The host's own.
    pub(super) zstd: Option<(u32, u32, u32)>,
    /// Bytes that programs may take without others being swapped out.
    pub(super) memory: u64,
    spool: Disk,
    containerd: Disk,
}

/// A file system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Disk {
    device: u64,
    /// Bytes.
    free: u64,
}

/// Asks for all of it. Nobody but root looks into the spool.
pub(super) fn script() -> String {
    format!(
        "{look}blobs=$({ctr} content ls)\nprintf '%s\\n' \"$blobs\" | {DIGESTS}\n\
         for f in {FOLDER} /var/lib/rancher; do echo \"disk $(stat -c %d $f) $(stat -f -c '%a %S' $f)\"; done\n\
         while read -r k n u; do [ \"$k\" != MemAvailable: ] || echo \"memory $n\"; done </proc/meminfo\n\
         ! command -v zstd >/dev/null || zstd --version\n",
        look = spool::look(),
        ctr = ctr(SHORT),
    )
}

/// Reads what it prints.
pub(super) fn parse(text: &str) -> Option<Held> {
    let mut held = Held::default();
    let mut disks = Vec::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            [digest] if digest.starts_with("sha256:") => drop(held.store.insert(digest.to_owned())),
            [digest, plain] if digest.starts_with("sha256:") => {
                held.store.insert(digest.to_owned());
                held.packed.insert(plain.to_owned(), digest.to_owned());
            }
            ["spooled", name, size] => spool::listed(&mut held.spooled, name, size)?,
            ["disk", device, blocks, size] => {
                disks.push(Disk { device: device.parse().ok()?, free: blocks.parse::<u64>().ok()?.checked_mul(size.parse().ok()?)? });
            }
            ["memory", kilobytes] => held.memory = kilobytes.parse::<u64>().ok()?.checked_mul(1024)?,
            ["***", ..] => {
                held.codec = Codec::Zstd;
                held.zstd = words.iter().find_map(|word| version(word));
            }
            _ => return None,
        }
    }
    let [spool, containerd] = disks[..] else { return None };
    Some(Held { spool, containerd, ..held })
}

/// `v1.5.4,` as zstd tells it.
fn version(word: &str) -> Option<(u32, u32, u32)> {
    let mut parts = word.strip_prefix('v')?.trim_end_matches(',').split('.').map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??, parts.next()??))
}

impl Held {
    /// What is to be sent of a blob.
    pub(super) fn parts(&self, blob: &Blob) -> Parts {
        spool::parts(&self.spooled, &blob.digest, blob.size)
    }

    /// Bytes that the spool has left once `arriving` have come.
    pub(super) const fn spare(&self, arriving: u64) -> u64 {
        self.spool.free.saturating_sub(arriving + MARGIN)
    }

    /// Why there is no room for `arriving` bytes in the spool and, by the time they are imported, for `kept` bytes in containerd's store.
    pub(super) fn lacks_room(&self, arriving: u64, kept: u64) -> Option<String> {
        let needs = match self.spool.device == self.containerd.device {
            true => vec![(self.spool, arriving + kept, "/var/lib")],
            false => vec![(self.spool, arriving, FOLDER), (self.containerd, kept, "/var/lib/rancher")],
        };
        let short = needs.into_iter().find(|(disk, wanted, _)| disk.free < wanted + MARGIN)?;
        let (disk, wanted, place) = short;
        Some(format!("{} MB are needed below {place}, {} MB are free", (wanted + MARGIN) / 1_000_000, disk.free / 1_000_000))
    }
}

/// What is left to everybody else.
const MARGIN: u64 = 100_000_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::perform::spool::Part;

    const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    #[test]
    fn a_look_is_read() {
        let held =
            parse(&format!("sha256:{A}\nsha256:b sha256:c\nspooled {A}-4194304 12\nspooled {A} 5\ndisk 65 1000 4096\ndisk 66 1 512\n"))
                .unwrap();
        let spooled = &held.spooled[&format!("sha256:{A}")];
        assert_eq!((held.store.len(), spooled.as_slice(), held.codec), (2, &[Part { offset: 4 << 20, size: 12 }][..], Codec::Gzip));
        assert_eq!(held.packed, BTreeMap::from([("sha256:c".to_owned(), "sha256:b".to_owned())]));
        // As Debian 12 prints it.
        let zstd = "*** Zstandard CLI (64-bit) v1.5.4, by Yann Collet ***";
        let held = parse(&format!("disk 1 1 1\ndisk 1 1 1\nmemory 2048\n{zstd}\n")).unwrap();
        assert_eq!((held.codec, held.zstd, held.memory), (Codec::Zstd, Some((1, 5, 4)), 2 << 20));
        assert_eq!(parse("disk 65 1000 4096\n"), None);
        assert_eq!(parse("disk 1 1 1\ndisk 1 1 1\nwelcome\n"), None);
    }

    #[test]
    fn of_what_containerd_lists_the_digests_are_read() {
        use std::io::Write as _;
        use std::process::{Command, Stdio};
        // As ctr 1.6 and 2.2 print it.
        const LISTED: &str = "DIGEST\t\tSIZE\tAGE\t\t\tLABELS\n\
            sha256:06fc\t421B\tLess than a second\tcontainerd.io/gc.ref.content.l.0=sha256:d334,containerd.io/gc.ref.content.config=sha256:f1a6\n\
            sha256:1ab2\t307.2kB\t2 minutes\t-\n\
            sha256:21c3\t300.3kB\tAbout an hour\tcontainerd.io/distribution.source.docker.io=shop/web,containerd.io/uncompressed=sha256:1ab2\n";
        let mut sed = Command::new("sh").args(["-c", DIGESTS]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        sed.stdin.take().unwrap().write_all(LISTED.as_bytes()).unwrap();
        let read = sed.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&read.stdout), "sha256:06fc\nsha256:1ab2\nsha256:21c3 sha256:1ab2\n");
    }

    #[test]
    fn room_is_counted_for_each_disk() {
        let held = |one: &str, other: &str| parse(&format!("disk {one} 1\ndisk {other} 1\n")).unwrap();
        let same = held("65 200000000", "65 200000000");
        assert_eq!(same.lacks_room(40_000_000, 60_000_000), None);
        let said = same.lacks_room(40_000_001, 60_000_000).unwrap();
        assert_eq!(said, "200 MB are needed below /var/lib, 200 MB are free");
        let two = held("65 200000000", "66 150000000");
        assert_eq!(two.lacks_room(90_000_000, 50_000_000), None);
        assert!(two.lacks_room(90_000_000, 50_000_001).unwrap().contains("below /var/lib/rancher, 150 MB"));
    }
}
