//! A script that goes on beside those that come after it, and whose end is waited for: in the worker's process group like they are.

use super::STRICT;
use crate::remote::perform::spool::{FOLDER, Part, hex};

/// Defines what `parts` calls.
pub(super) const PART: &str = "part() {\nuntil [ -e job.fed ] || { n=$(stat -c %s \"$1\" 2>/dev/null) && [ \"$n\" -ge \"$2\" ]; }; do sleep 0.1; done\n\
    head -c \"$2\" \"$1\"\n}\n";

/// Prints what the parts make, those that are still on their way as they come: a line of shell for each; in the folder.
pub(super) fn parts(digest: &str, parts: &[Part]) -> String {
    parts.iter().map(|Part { offset, size }| format!("part {}-{offset} {size}\n", hex(digest))).collect()
}

/// Starts a script that reads the payload, after any other has ended. Whoever it starts holds the lock.
pub(super) fn start(script: &str) -> String {
    format!(
        "{STRICT}cd {FOLDER}\numask 077\nexec 9>job.lock\nflock -n 9\nrm -f job.status job.fed\ncat >job.input\n\
         {{\nset +e\n(\n{script}\n)\necho $? >job.status\n}} <job.input >job.said 2>job.complained &\n"
    )
}

/// Nothing comes any more. Waits until nobody is at work for it, and is what it was: what it printed, what it complained, its status.
pub(super) fn end() -> String {
    format!(
        "cd {FOLDER} || exit\n: >job.fed\nflock job.lock true\ncat job.said\ncat job.complained >&2\n\
         r=$(cat job.status) || echo 'it was ended from outside' >&2\nrm -f job.*\nexit \"${{r:-1}}\"\n"
    )
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::{Command, Output, Stdio};

    use super::*;

    fn run(folder: &Path, script: &str, input: &str) -> Output {
        let at = folder.join("input");
        std::fs::write(&at, input).unwrap();
        let script = script.replace(FOLDER, folder.join("spool").to_str().unwrap());
        Command::new("sh").args(["-c", &script]).stdin(Stdio::from(std::fs::File::open(at).unwrap())).output().unwrap()
    }

    #[test]
    fn it_goes_on_and_its_end_is_what_it_was() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("spool")).unwrap();
        // It ends once another script has run.
        let script = "set -e\ncat\nuntil [ -e come ]; do sleep 0.05; done\necho amiss >&2\nfalse\necho unreached";
        let started = run(folder.path(), &start(script), "input\n");
        assert!(started.status.success() && started.stdout.is_empty(), "{started:?}");
        assert!(!run(folder.path(), &start("true"), "").status.success(), "one at a time");
        std::fs::write(folder.path().join("spool/come"), "").unwrap();
        let ended = run(folder.path(), &end(), "");
        assert_eq!((ended.status.code(), &*ended.stdout, &*ended.stderr), (Some(1), &b"input\n"[..], &b"amiss\n"[..]));
        assert_eq!(std::fs::read_dir(folder.path().join("spool")).unwrap().count(), 1);
    }

    #[test]
    fn a_part_is_waited_for_as_long_as_it_can_come() {
        let folder = tempfile::tempdir().unwrap();
        let spool = folder.path().join("spool");
        std::fs::create_dir(&spool).unwrap();
        std::fs::write(spool.join("aa-0"), "whole and more").unwrap();
        std::fs::write(spool.join("aa-5"), "cut").unwrap();
        let printed = parts("sha256:aa", &[Part { offset: 0, size: 5 }, Part { offset: 5, size: 9 }, Part { offset: 14, size: 1 }]);
        assert!(run(folder.path(), &start(&format!("{PART}{printed}echo done")), "").status.success());
        let begun = std::time::Instant::now();
        while std::fs::read_to_string(spool.join("job.said")).unwrap() != "whole" {
            assert!(begun.elapsed().as_secs() < 20);
        }
        let ended = run(folder.path(), &end(), "");
        assert_eq!((ended.status.code(), &*ended.stdout), (Some(0), &b"wholecutdone\n"[..]), "{ended:?}");
    }

    #[test]
    fn one_that_was_killed_has_failed() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("spool")).unwrap();
        let started = start("sleep 60").replace(FOLDER, folder.path().join("spool").to_str().unwrap());
        let started = Command::new("setsid").args(["-w", "sh", "-c", &format!("{started}echo $$")]).output().unwrap();
        let group = String::from_utf8(started.stdout).unwrap();
        let kill = Command::new("sh").args(["-c", "kill -s KILL -- \"-$0\"", group.trim()]).status().unwrap();
        let ended = run(folder.path(), &end(), "");
        assert!(kill.success() && ended.status.code() == Some(1), "{ended:?}");
    }
}
