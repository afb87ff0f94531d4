//! The constant programs that run on a host. They reach it through the login shell, which may be fish or csh, so they are one line
//! without single quote, backslash and exclamation mark: inside single quotes such text means itself in all of them.
//! Data never stands in them: it comes on standard input. (dash knows `kill -s TERM -- -GROUP` but not `kill -TERM -- -GROUP`.)

/// Runs frames (see `frame`) until its input ends.
/// - The first line is the nonce; anything else (a password that sudo did not want) ends it unprinted.
/// - A script runs in a subshell with the payload, and nothing beyond it, as its input. What it leaves unread is drained, so that
///   one frame can't run into the next.
/// - A script that arrives cut short is not run.
/// - Output of more than 12 KiB goes out compressed where there is a gzip; `~` says so. No pattern is applied to it: shells need a
///   time for that which grows with the square of its length.
pub(super) const WORKER: &str = concat!(
    "umask 022; LC_ALL=C; TZ=UTC; PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; ",
    "export LC_ALL TZ PATH; unset ENV CDPATH; cd /; ",
    "read -r k; case $k in bedplate-*) ;; *) exit 99;; esac; ",
    "z=$(command -v gzip); echo; echo \"$k $$ ${SUDO_UID-}\"; exec 4>&1; ",
    "while read -r n p c; do ",
    "s=$(head -c \"$n\"); [ \"${#s}\" -eq \"$n\" ] || exit 98; ",
    "echo; printf \"%s \" \"$k\"; ",
    "o=$(exec 3>&1; ",
    "e=$({ head -c \"$p\" | { ( eval \"$s\" ) 3>&- 4>&-; r=$?; cat >/dev/null; echo; echo \"$r\"; } ",
    "| head -c \"$c\" | base64 -w 0 >&3; } 2>&1 | tail -c 4000 | base64 -w 0); printf \"%s \" \"$e\" >&4); ",
    "if [ -n \"$z\" ] && [ \"${#o}\" -gt 16384 ]; then ",
    "printf \"~\"; printf %s \"$o\" | base64 -d | gzip -c | base64 -w 0; else printf %s \"$o\"; fi; ",
    "echo \" $k\"; done",
);

/// Ends a worker that hangs: reads its process group, kills it, waits until it is gone.
pub(super) const REAPER: &str = concat!(
    "read -r w; kill -s TERM -- \"-$w\" || exit 0; ",
    "i=0; while kill -s 0 -- \"-$w\" 2>/dev/null && [ $i -lt 25 ]; do sleep 0.2; i=$((i+1)); done; ",
    "kill -s KILL -- \"-$w\" 2>/dev/null; exit 0",
);

/// Becomes root by whatever way there is and then `$0`, the worker. Reads a key first; what it says of sudo stands behind that key.
/// - Root, and a sudo that asks nothing, go straight to the worker, whose nonce is the next line.
/// - Else it says `denied` with sudo's words and reads that nonce, then the password: once to see whether sudo takes it, with nothing
///   behind it that sudo could take for another try, and once more for the sudo that becomes the worker.
const CLIMB: &str = concat!(
    "read -r k; if [ \"$(id -u)\" = 0 ]; then exec setsid -w sh -c \"$0\"; fi; LC_ALL=C; export LC_ALL; exec 4>&1; ",
    "m=$(sudo -n -- setsid -w sh -c \"$0\" 2>&1 >&4 4>&-); e=$?; m=${m:-sudo ended with $e}; ",
    "[ $e = 1 ] || { printf %s \"$m\" >&2; exit $e; }; ",
    "echo; echo \"$k denied $(printf %s \"$m\" | tail -c 4000 | base64 -w 0)\"; ",
    "read -r k; IFS= read -r p || exit 1; ",
    "if m=$({ printf %s \"$p\"; echo; } | sudo -S -k -p \"\" -- true 2>&1); then ",
    "exec sudo -S -k -p \"\" -- setsid -w sh -c \"$0\"; fi; printf %s \"$m\" >&2; exit 1",
);

/// What the login shell is given so that the worker runs as root, as the leader of a process group of its own.
pub(super) fn climb() -> String {
    format!("sh -c '{CLIMB}' '{WORKER}'")
}

/// How to become root once that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ascent {
    /// Be root already, or have a sudo that asks nothing.
    Unasked,
    /// A sudo that reads the password from the first line of standard input.
    Password,
}

/// What the login shell is given so that `program` runs as root, as the leader of a process group of its own.
pub(super) fn as_root(program: &str, ascent: Ascent) -> String {
    match ascent {
        Ascent::Unasked => format!(
            "sh -c 'if [ \"$(id -u)\" = 0 ]; then exec setsid -w sh -c \"$0\"; fi; exec env LC_ALL=C sudo -n -- setsid -w sh -c \"$0\"' '{program}'"
        ),
        Ascent::Password => format!("env LC_ALL=C sudo -S -k -p '' -- setsid -w sh -c '{program}'"),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    use super::*;
    use crate::test_program::write_program;

    #[test]
    fn a_password_that_sudo_did_not_want_is_not_printed() {
        let mut worker = Command::new("sh").args(["-c", WORKER]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        worker.stdin.take().unwrap().write_all(b"hunter2\nbedplate-x\n").unwrap();
        let output = worker.wait_with_output().unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(99), 0));
    }

    #[test]
    fn a_script_that_was_cut_short_is_not_run() {
        let mut worker = Command::new("sh").args(["-c", WORKER]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        worker.stdin.take().unwrap().write_all(b"bedplate-x\n20 0 1000\necho begun").unwrap();
        let output = worker.wait_with_output().unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        assert_eq!((output.status.code(), printed.trim().lines().count()), (Some(98), 1), "{printed}");
    }

    /// A sudo that writes down every password it reads, and takes `pa ss`.
    const SUDO: &str = r#"#!/bin/sh
[ "$1" != -n ] || { echo "sudo: a password is required" >&2; exit 1; }
IFS= read -r p || exit 1
echo "$p" >>"${0%/*}/tried"
[ "$p" = " pa ss" ] || { echo "Sorry, try again." >&2; IFS= read -r p && echo "$p" >>"${0%/*}/tried"; exit 1; }
while [ "$1" != -- ]; do shift; done
shift; SUDO_UID=1000 exec "$@"
"#;

    /// The way up as somebody who is not root: status, what it printed, what sudo was given.
    fn climbed(input: &str) -> (Option<i32>, String, String) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [("id", "#!/bin/sh\necho 1000\n"), ("sudo", SUDO), ("tried", "")] {
            write_program(&folder.path().join(name), text);
        }
        let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
        let mut shell = Command::new("sh");
        shell.args(["-c", &climb()]).env("PATH", path).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut shell = shell.spawn().unwrap();
        shell.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = shell.wait_with_output().unwrap();
        let tried = std::fs::read_to_string(folder.path().join("tried")).unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap(), tried)
    }

    #[test]
    fn a_password_is_asked_for_in_the_session_that_becomes_the_worker() {
        let (status, printed, tried) = climbed("bedplate-x\nbedplate-x\n pa ss\n pa ss\nbedplate-x\n4 0 100\ntrue");
        let lines: Vec<&str> = printed.lines().filter(|line| !line.is_empty()).collect();
        // `sudo: a password is required` without the newline.
        assert_eq!(lines[0], "bedplate-x denied c3VkbzogYSBwYXNzd29yZCBpcyByZXF1aXJlZA==");
        assert!(lines[1].starts_with("bedplate-x ") && lines[1].ends_with(" 1000"), "{printed}");
        assert_eq!((status, lines[2], tried.as_str()), (Some(0), "bedplate-x  CjAK bedplate-x", " pa ss\n pa ss\n"));
    }

    #[test]
    fn a_wrong_password_is_tried_once_and_nothing_else_instead() {
        let (status, printed, tried) = climbed("bedplate-x\nbedplate-x\nwrong\nwrong\nbedplate-x\n");
        assert_eq!((status, printed.trim().lines().count(), tried.as_str()), (Some(1), 1, "wrong\n"));
    }

    #[test]
    fn programs_mean_the_same_in_every_login_shell() {
        for program in [WORKER, CLIMB, REAPER, crate::remote::keeper::KEEPER] {
            assert!(!program.contains(['\'', '\\', '!', '\n']), "{program}");
        }
    }
}
