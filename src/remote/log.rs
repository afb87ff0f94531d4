//! The log of what was done on a host: a line when an action begins and one when it ends. One that was killed has no second line.

use super::error::printable;
use super::quote::quote;

/// Only root may read it. The keeper of the lock makes its folder and keeps it short.
pub(super) const LOG: &str = "/var/log/bedplate/actions.log";

/// What a line says of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// It begins now.
    Begun,
    /// It succeeded.
    Done,
    /// It failed.
    Failed,
}

/// A line without the time, in the form that `date` takes: `azat@laptop begun: write /etc/rancher/k3s/config.yaml (mode 0600)`.
pub(super) fn text(who: &str, mark: Mark, what: &str) -> String {
    let word = match mark {
        Mark::Begun => "begun",
        Mark::Done => "done",
        Mark::Failed => "failed",
    };
    printable(&format!("{who} {word}: {what}")).replace('%', "%%")
}

/// `script` between its two lines. Without the first one it does not run: what is done is logged. A single program writes a line whole,
/// and says in words why it can't.
pub(super) fn logged(who: &str, what: &str, script: &str) -> String {
    let date = |mark| format!("date -u {} >>{LOG}", quote(&format!("+%FT%TZ {}", text(who, mark, what))));
    format!(
        "{begun} || exit\n(\n{script}\n)\nr=$?\nif [ $r = 0 ]; then {done}; else {failed}; fi 2>/dev/null\nexit $r\n",
        begun = date(Mark::Begun),
        done = date(Mark::Done),
        failed = date(Mark::Failed),
    )
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// Runs a logged script with its log in `folder`: its status, and the log without the times.
    fn run(folder: &std::path::Path, what: &str, script: &str) -> (Option<i32>, String) {
        let log = folder.join("log");
        let script = logged("me@here", what, script).replace(LOG, log.to_str().unwrap());
        let status = Command::new("sh").args(["-c", &script]).status().unwrap().code();
        let text = std::fs::read_to_string(log).unwrap_or_default();
        let cut = |line: &str| line.split_once("Z ").map(|(_, rest)| format!("{rest}\n")).unwrap_or_default();
        (status, text.lines().map(cut).collect())
    }

    #[test]
    fn an_action_has_two_lines_and_keeps_its_status() {
        let folder = tempfile::tempdir().unwrap();
        let (status, text) = run(folder.path(), "write /a 100%d 'x' $(id)\u{1b}", "set -eu\ntrue");
        assert_eq!((status, &*text), (Some(0), "me@here begun: write /a 100%d 'x' $(id)\nme@here done: write /a 100%d 'x' $(id)\n"));
        let (status, text) = run(folder.path(), "fail", "set -eu\nexit 7");
        assert_eq!(status, Some(7));
        assert!(text.ends_with("me@here begun: fail\nme@here failed: fail\n"), "{text}");
    }

    #[test]
    fn a_killed_one_has_one_line_and_one_that_can_not_be_logged_is_not_done() {
        let folder = tempfile::tempdir().unwrap();
        let (status, text) = run(folder.path(), "die", "kill -s KILL $$");
        assert_eq!((status, &*text), (None, "me@here begun: die\n"));
        let made = folder.path().join("made");
        let (status, _) = run(&folder.path().join("nowhere"), "make", &format!("touch {}", made.display()));
        assert!(status != Some(0) && !made.exists());
    }
}
