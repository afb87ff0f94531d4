//! How a file on a host differs from what it must be, in words that give no secret away.

use similar::TextDiff;

use super::hidden::holds_secret;
use crate::model::{Content, FileKind, FileWrite, Missing, Secret, View};

/// Most lines of a diff that a reason shows.
const SHOWN: usize = 60;

/// Lines that stand around a change, as in `diff -u`.
const CONTEXT: usize = 3;

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
            Content::Plain(text) if !holds_secret(&live) => format!("{path} differs:\n{}", diff(path, &live, text)),
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

/// What goes and comes, as `diff -u` tells it; `of` names the text in its head.
pub fn diff(of: &str, live: &str, wanted: &str) -> String {
    let text = TextDiff::from_lines(live, wanted);
    let unified = text.unified_diff().context_radius(CONTEXT).header(&format!("{of} (live)"), &format!("{of} (wanted)")).to_string();
    let lines: Vec<&str> = unified.lines().collect();
    match lines.len().checked_sub(SHOWN) {
        None | Some(0) => lines.join("\n"),
        Some(more) => format!("{}\n… and {more} lines more", lines[..SHOWN].join("\n")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diff_stands_in_its_context_and_shows_no_more_than_fits() {
        let told = "--- /x (live)\n+++ /x (wanted)\n@@ -1,4 +1,4 @@\n-a\n+A\n b\n c\n d";
        assert_eq!(diff("/x", "a\nb\nc\nd\ne\n", "A\nb\nc\nd\ne\n"), told);
        let long: String = (0..80).map(|n| format!("{n}\n")).collect();
        assert!(diff("/x", &long, "").ends_with("-56\n… and 23 lines more"));
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { cases: 1000, ..Default::default() })]
        #[test]
        fn no_diff_shows_a_secret_key(
            before in "([a-z]{1,8}: [a-z]{0,8}\n){0,3}",
            key in proptest::sample::select(vec!["token", "agent-token", "datastore-endpoint", "vpn-auth", "etcd-s3-secret-key", "K3S_TOKEN"]),
            written in proptest::sample::select(vec!["KEY: hunter2", "\"KEY\" : 'hunter2'", "  KEY+: hunter2", "--KEY=hunter2", "--KEY hunter2"]),
            after in "(\n[a-z]{1,8}: [a-z]{0,8}){0,3}",
        ) {
            use crate::model::{Answer, FileMeta, HostId, HostQuestion, Owner, Reply, World};
            let host = HostId("droplet".into());
            let mut world = World::default();
            let live = format!("{before}{}{after}", written.replace("KEY", key));
            let meta = FileMeta { kind: FileKind::File, mode: 0o600, uid: 0, gid: 0, size: 1, changed: 1 };
            let seen = world.view(&host, &host);
            let (stat, content) = (seen.ask(HostQuestion::Stat("/x".into())), seen.ask(HostQuestion::Content("/x".into())));
            world.learn(stat, Answer::Present(Reply::File(meta)));
            world.learn(content, Answer::Present(Reply::Bytes(Secret::new(live))));
            let wanted = FileWrite { path: "/x".into(), content: Content::Plain("wanted\n".into()), mode: 0o600, owner: Owner::Root };
            let told = difference(&world.view(&host, &host), &wanted).unwrap().unwrap();
            proptest::prop_assert!(!told.contains("hunter2"), "{}", told);
        }
    }
}
