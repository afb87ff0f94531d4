//! The two streams. A reader that went away (`bedplate plan | head`) ends no run.

use std::io::{IsTerminal as _, Write};

/// Writes results to stdout as they are.
pub fn result(text: &str) {
    write(std::io::stdout().lock(), text);
}

/// Writes a line of progress, or what went wrong, to stderr.
pub fn progress(line: &str) {
    write(std::io::stderr().lock(), &format!("{line}\n"));
}

/// Takes back what a Ctrl-C, or a question that it cut short, left on the terminal's line.
pub fn fresh_line() {
    let stderr = std::io::stderr();
    if stderr.is_terminal() {
        write(stderr.lock(), "\r\x1b[K");
    }
}

/// Whom could it be told, if the reader is gone?
fn write(mut stream: impl Write, text: &str) {
    let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
}
