//! What a script needs for its work goes when the script ends, however it ends.

/// Begins a script that must not leave its work behind: `sweep`, shell text, is run at its end. It stands before anything is made. A signal
/// may fall into that end, so each sweeps by itself. Where the line is gone the first one may be PIPE: shells tell on stderr how a child died.
pub(super) fn sweeping(sweep: &str) -> String {
    format!("swept() {{ {sweep}; }}\ntrap swept EXIT\ntrap 'swept; exit 143' TERM HUP INT PIPE\n")
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::{Command, Stdio};

    use super::*;
    use crate::remote::quote::quote;

    /// What lies in a folder once a script has ended that makes a file there; nobody reads what the script says.
    fn left(work: &str) -> usize {
        let folder = tempfile::tempdir().unwrap();
        let begin = quote(&format!("{}/a-", folder.path().display()));
        let script = format!("set -eu\n{}t=$(mktemp -- {begin}XXXXXX)\n{work}", sweeping(&format!("rm -f -- {begin}*")));
        let mut shell = Command::new("sh").args(["-c", &script]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop((shell.stdout.take(), shell.stderr.take()));
        shell.wait().unwrap();
        entries(folder.path())
    }

    fn entries(folder: &Path) -> usize {
        std::fs::read_dir(folder).unwrap().count()
    }

    #[test]
    fn nothing_is_left_whatever_ends_the_script() {
        for work in ["true", "false", "kill -s TERM $$", "kill -s HUP $$; kill -s TERM $$"] {
            assert_eq!(left(work), 0, "{work}");
        }
    }

    #[test]
    fn nothing_is_left_where_the_shell_tells_nobody_how_a_child_died() {
        assert_eq!(left("sh -c 'kill -s TERM $$; sleep 9'\nsleep 9"), 0);
        assert_eq!(left("sh -c 'kill -s TERM $PPID; kill -s TERM $$; sleep 9'\nsleep 9"), 0);
    }

    #[test]
    fn nothing_is_left_where_a_file_was_just_made() {
        assert_eq!(left("t=$(mktemp -- \"$t.XXXXXX\"; kill -s TERM $$)\nsleep 9"), 0);
    }
}
