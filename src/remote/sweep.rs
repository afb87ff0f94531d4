//! What a script needs for its work goes when the script ends, by a signal as well. What it leaves that was killed outright, or lost its host,
//! goes with the next one of its kind.

/// Where scripts work with what may be secret: on tmpfs, and only root can enter.
pub(super) const PLACE: &str = "/run/bedplate";

/// Makes it. What a script makes behind this is root's alone.
pub(super) const MADE: &str = "umask 077\nmkdir -p /run/bedplate\nchmod 0700 /run/bedplate\n";

/// Begins a script that must not leave its work behind: `sweep`, shell text, is run at its end. It stands before anything is made. A signal
/// may fall into that end, so each sweeps by itself. Where the line is gone the first one may be PIPE: shells tell on stderr how a child died.
pub(super) fn sweeping(sweep: &str) -> String {
    format!("swept() {{ {sweep}; }}\ntrap swept EXIT\ntrap 'swept; exit 143' TERM HUP INT PIPE\n")
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;
    use crate::remote::quote::quote;

    /// What of its own lies in a folder once a script has ended that makes a file there; nobody reads what the script says.
    fn left(work: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let (begin, made) = (quote(&format!("{}/a-", folder.path().display())), quote(&format!("{}/made", folder.path().display())));
        let sweep = sweeping(&format!("rm -f -- {begin}*"));
        let script = format!("set -eu\n{sweep}t=$(mktemp -- {begin}XXXXXX)\nln -- \"$t\" {made}\n{work}");
        let mut shell = Command::new("sh").args(["-c", &script]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop((shell.stdout.take(), shell.stderr.take()));
        shell.wait().unwrap();
        let entries = std::fs::read_dir(folder.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn nothing_is_left_whatever_ends_the_script() {
        for work in ["true", "false", "kill -s TERM $$", "kill -s HUP $$; kill -s TERM $$"] {
            assert_eq!(left(work), ["made"], "{work}");
        }
    }

    #[test]
    fn nothing_is_left_where_the_shell_tells_nobody_how_a_child_died() {
        assert_eq!(left("sh -c 'kill -s TERM $$; sleep 9'\nsleep 9"), ["made"]);
        assert_eq!(left("sh -c 'kill -s TERM $PPID; kill -s TERM $$; sleep 9'\nsleep 9"), ["made"]);
    }

    #[test]
    fn nothing_is_left_where_a_file_was_just_made() {
        assert_eq!(left("t=$(mktemp -- \"$t.XXXXXX\"; kill -s TERM $$)\nsleep 9"), ["made"]);
    }
}
