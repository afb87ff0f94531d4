//! Digests of large files, noted when they were checked: hashing half a gigabyte at every look would cost more than all else together.
//! A note holds for as long as nobody touches the file: inode, size, mtime and ctime, which can't be set back without setting the clock.
//! Without a note, or after the least doubt, the file is hashed. Notes are a cache: removing them costs time and nothing else.

use super::quote::quote;

/// Root's alone, on the host.
const FOLDER: &str = "/var/lib/bedplate/digests";

/// Inode, size, mtime and ctime to the nanosecond.
const IDENTITY: &str = "%i %s %.9Y %.9Z";

fn note(path: &str) -> String {
    quote(&format!("{FOLDER}/{}", path.replace('/', "%")))
}

/// Prints what `sha256sum` would, or fails.
pub(super) fn recall(path: &str) -> String {
    let (path, note) = (quote(path), note(path));
    format!(
        "{{ now=$(stat -c '{IDENTITY}' -- {path} 2>/dev/null) && read -r digest then 2>/dev/null <{note} && [ \"$now\" = \"$then\" ] && echo \"$digest  -\"; }}"
    )
}

/// Notes the digest of a file that was just checked and named. Failing to is no failure.
pub(super) fn record(path: &str, sha256: &str) -> String {
    let (file, note, digest) = (quote(path), note(path), quote(sha256));
    format!(
        "{{ umask 077 && mkdir -p {FOLDER} && printf '%s %s\\n' {digest} \"$(stat -c '{IDENTITY}' -- {file})\" >{note}.new && mv {note}.new {note}; }} || true\n"
    )
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command;

    use super::*;

    /// Runs a script whose notes lie in `folder`: its output, trimmed.
    fn run(folder: &Path, script: &str) -> String {
        let script = script.replace(FOLDER, folder.join("notes").to_str().unwrap());
        let output = Command::new("sh").args(["-c", &script]).output().unwrap();
        assert!(output.stderr.is_empty(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    #[test]
    fn a_note_holds_until_the_file_is_touched() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("it's large");
        let path = file.to_str().unwrap();
        std::fs::write(&file, "content").unwrap();
        assert_eq!(run(folder.path(), &recall(path)), "");
        run(folder.path(), &record(path, "abc"));
        assert_eq!(run(folder.path(), &recall(path)), "abc  -");
        // The same length, and the old times as far as they can be set.
        let times = std::fs::metadata(&file).unwrap().modified().unwrap();
        std::fs::write(&file, "CONTENT").unwrap();
        std::fs::File::options().write(true).open(&file).unwrap().set_modified(times).unwrap();
        assert_eq!(run(folder.path(), &recall(path)), "");
    }

    #[test]
    fn of_a_file_that_is_not_there_nothing_is_recalled() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(run(folder.path(), &recall("/no/where")), "");
    }
}
