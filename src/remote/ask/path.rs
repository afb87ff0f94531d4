//! What lies at a path.

use super::reply;
use crate::model::{Answer, FileKind, FileMeta, Reply, Secret};
use crate::remote::digest;
use crate::remote::frame::Output;
use crate::remote::quote::quote;

/// Most bytes of a file that are read.
const MOST: usize = 4 << 20;

/// Type and permission bits in hex, owner, group, size, ctime; then a link's target.
pub(super) fn stat_script(path: &str) -> String {
    let path = quote(path);
    format!("stat -c '%f %u %g %s %.6Z' -- {path} && {{ [ ! -L {path} ] || readlink -n -- {path}; }}")
}

pub(super) fn digest_script(path: &str) -> String {
    format!("{} || timeout --foreground 170 sha256sum -- {}", digest::recall(path), quote(path))
}

/// A path that is no file could keep its reader waiting for ever.
pub(super) fn content_script(path: &str) -> String {
    let path = quote(path);
    format!(
        "[ ! -e {path} ] || [ -f {path} ] || {{ echo 'not a file' >&2; exit 1; }}; timeout --foreground 30 head -c {} -- {path}",
        MOST + 1
    )
}

pub(super) fn parse_stat(output: &Output) -> Answer {
    unless_missing(output, |text| {
        let (line, target) = text.split_once('\n')?;
        let mut words = line.split(' ');
        let bits = u32::from_str_radix(words.next()?, 16).ok()?;
        // stat(2): the file type mask and its values.
        let kind = match bits & 0o170_000 {
            0o100_000 => FileKind::File,
            0o040_000 => FileKind::Folder,
            0o120_000 => FileKind::Link(target.to_owned()),
            _ => FileKind::Other,
        };
        // The last one is in seconds with six decimals.
        let mut number = || words.next()?.replacen('.', "", 1).parse::<u64>().ok();
        let (uid, gid, size, changed) = (number()?, number()?, number()?, number()?);
        let meta = FileMeta { kind, mode: bits & 0o7777, uid: uid.try_into().ok()?, gid: gid.try_into().ok()?, size, changed };
        Some(Reply::File(meta))
    })
}

pub(super) fn parse_digest(output: &Output) -> Answer {
    unless_missing(output, |text| {
        // A backslash in front says that the name behind is escaped.
        let digest = text.trim_start_matches('\\').split(' ').next()?;
        (digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| Reply::Text(digest.to_owned()))
    })
}

pub(super) fn parse_content(output: &Output) -> Answer {
    match output.status {
        0 if output.stdout.len() > MOST => Answer::Unreadable("the file is larger than 4 MiB".into()),
        // It may be secret: no text is made of it.
        0 => Answer::Present(Reply::Bytes(Secret::new(output.stdout.as_slice()))),
        _ => unless_missing(output, |_| None),
    }
}

/// Absent if the system said so (strerror of ENOENT and ENOTDIR).
fn unless_missing(output: &Output, read: impl FnOnce(&str) -> Option<Reply>) -> Answer {
    let said = |text: &str| output.stderr.trim_end().ends_with(text);
    if output.status != 0 && (said("No such file or directory") || said("Not a directory")) {
        return Answer::Absent;
    }
    reply(output, read)
}

#[cfg(test)]
mod tests {
    use super::super::{failed, printed};
    use super::*;

    const CHANGED: u64 = 1_795_242_871_000_123;

    #[test]
    fn a_file() {
        let meta = FileMeta { kind: FileKind::File, mode: 0o600, uid: 0, gid: 0, size: 120, changed: CHANGED };
        assert_eq!(parse_stat(&printed("8180 0 0 120 1795242871.000123\n")), Answer::Present(Reply::File(meta)));
    }

    #[test]
    fn a_folder_with_special_bits() {
        let meta = FileMeta { kind: FileKind::Folder, mode: 0o1777, uid: 0, gid: 0, size: 4096, changed: CHANGED };
        assert_eq!(parse_stat(&printed("43ff 0 0 4096 1795242871.000123\n")), Answer::Present(Reply::File(meta)));
    }

    #[test]
    fn a_link() {
        let meta = FileMeta { kind: FileKind::Link("k3s".into()), mode: 0o777, uid: 0, gid: 0, size: 3, changed: CHANGED };
        assert_eq!(parse_stat(&printed("a1ff 0 0 3 1795242871.000123\nk3s")), Answer::Present(Reply::File(meta)));
    }

    #[test]
    fn not_there_and_not_to_be_seen_differ() {
        let absent = failed(1, "stat: cannot statx '/x': No such file or directory\n");
        assert_eq!(parse_stat(&absent), Answer::Absent);
        let shut = failed(1, "stat: cannot statx '/root/x': Permission denied\n");
        assert_eq!(parse_stat(&shut), Answer::Unreadable("exit 1: stat: cannot statx '/root/x': Permission denied".into()));
    }

    #[test]
    fn a_digest() {
        let hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(parse_digest(&printed(&format!("{hex}  /x\n"))), Answer::Present(Reply::Text(hex.into())));
        assert_eq!(parse_digest(&printed(&format!("\\{hex}  /x\\\\y\n"))), Answer::Present(Reply::Text(hex.into())));
        assert_eq!(parse_digest(&failed(1, "sha256sum: /x: No such file or directory\n")), Answer::Absent);
        assert!(matches!(parse_digest(&printed("oops\n")), Answer::Unreadable(_)));
    }

    #[test]
    fn content_is_bytes_and_has_a_limit() {
        let bytes = Output { status: 0, stdout: vec![0, 255, b'\n'].into(), stderr: String::new() };
        assert_eq!(parse_content(&bytes), Answer::Present(Reply::Bytes(Secret::new(vec![0, 255, b'\n']))));
        let long = Output { stdout: vec![b'x'; MOST + 1].into(), ..bytes };
        assert!(matches!(parse_content(&long), Answer::Unreadable(_)));
    }
}
