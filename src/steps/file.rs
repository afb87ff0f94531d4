//! How a file on a host differs from what it must be, in words that give no secret away.

use similar::TextDiff;

use crate::model::{Content, FileKind, FileWrite, Missing, Secret, View};

/// Most lines of a diff that a reason shows.
const SHOWN: usize = 20;

/// Keys of k3s' config.yaml whose values are secrets (contract §2.3).
const SECRET_KEYS: [&str; 7] =
    ["token", "agent-token", "datastore-endpoint", "vpn-auth", "etcd-s3-access-key", "etcd-s3-secret-key", "etcd-s3-session-token"];

/// Whether a YAML text sets one of k3s' secret keys.
pub fn holds_secret(text: &str) -> bool {
    let key = |line: &str| line.split(':').next().map(|key| key.trim_matches([' ', '"', '\'', '+']).to_owned());
    text.lines().filter_map(key).any(|key| SECRET_KEYS.contains(&key.as_str()))
}

/// Why the file must be written; none: it is as it must be.
///
/// # Errors
/// Its content or metadata was not asked or can't be read.
pub fn difference(seen: &View<'_>, wanted: &FileWrite) -> Result<Option<String>, Missing> {
    let path = &wanted.path;
    let Some(meta) = seen.stat(path)? else {
        return Ok(Some(format!("{path} is absent")));
    };
    if meta.kind != FileKind::File {
        return Ok(Some(format!("{path} is not a regular file")));
    }
    let live = seen.content(path)?.map(Secret::expose).unwrap_or_default();
    if live != wanted.content.bytes() {
        let live = String::from_utf8_lossy(live);
        return Ok(Some(match &wanted.content {
            Content::Plain(text) if !holds_secret(&live) => format!("{path} differs:\n{}", diff(&live, text)),
            _ => format!("{path} differs (not shown: it may hold secrets)"),
        }));
    }
    if meta.mode != wanted.mode {
        return Ok(Some(format!("{path} has mode {:04o}, not {:04o}", meta.mode, wanted.mode)));
    }
    let (uid, gid) = wanted.owner.ids();
    if (meta.uid, meta.gid) != (uid, gid) {
        return Ok(Some(format!("{path} belongs to {}:{}, not {uid}:{gid}", meta.uid, meta.gid)));
    }
    Ok(None)
}

/// The lines that go and come, without context.
fn diff(live: &str, wanted: &str) -> String {
    let diff = TextDiff::from_lines(live, wanted);
    let unified = diff.unified_diff().context_radius(0).missing_newline_hint(false).to_string();
    let lines: Vec<&str> = unified.lines().filter(|line| !line.starts_with("@@")).collect();
    match lines.len().checked_sub(SHOWN) {
        None | Some(0) => lines.join("\n"),
        Some(more) => format!("{}\n… and {more} lines more", lines[..SHOWN].join("\n")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diff_shows_what_goes_and_comes_and_no_more_than_fits() {
        assert_eq!(diff("a\nb\n", "a\nc\n"), "-b\n+c");
        let long: String = (0..50).map(|n| format!("{n}\n")).collect();
        assert!(diff(&long, "").ends_with("-19\n… and 30 lines more"));
    }

    #[test]
    fn secret_keys_are_known_however_they_are_written() {
        for text in ["token: x", "a: 1\n\"agent-token\": x", "  token+: x"] {
            assert!(holds_secret(text), "{text}");
        }
        assert!(!holds_secret("secrets-encryption: true\n# the token: elsewhere"));
    }
}
