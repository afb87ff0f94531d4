//! Programs that tests make and run.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Writes a script that can be run at once. Another process writes it: what this one has open for writing is open, too, in the children that
/// its other threads are just starting, and Linux runs nothing that is open for writing (execve(2), ETXTBSY).
pub fn write_program(path: &Path, text: &str) {
    let mut shell = Command::new("sh").args(["-c", r#"cat >"$0" && chmod 755 "$0""#]).arg(path).stdin(Stdio::piped()).spawn().unwrap();
    shell.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(shell.wait().unwrap().success(), "{} can't be written", path.display());
}
