//! What a program of the user's says, such as `pass show NAME`. It is run as the inventory has it, without a shell: nothing secret goes in,
//! and what comes out goes through a pipe into memory.

use std::io::Read as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::model::{Program, Secret};

/// Somebody may have to type a PIN, or find the token to touch.
const DEADLINE: Duration = Duration::from_secs(120);

/// A Secret holds no more.
const LONGEST: usize = 1 << 20;

/// Its standard output, less one line end. What it says on standard error is the user's to see, by running it.
///
/// # Errors
/// It could not be run, failed, said too much, or took too long.
pub fn of(program: &Program) -> Result<Secret, String> {
    within(program, DEADLINE)
}

fn within(program: &Program, deadline: Duration) -> Result<Secret, String> {
    let shown = program.to_string();
    let (name, arguments) = program.command.split_first().ok_or("no program is named")?;
    let mut asked = Command::new(name);
    if program.folder.is_dir() {
        asked.current_dir(&program.folder);
    }
    asked.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = asked.spawn().map_err(|error| format!("could not run `{shown}`: {error}"))?;
    let begun = Instant::now();
    let late = || format!("`{shown}` did not end within {} s", deadline.as_secs());
    let said = reading(&mut child);
    let status = ended(&mut child, begun, deadline).ok_or_else(late)?;
    // A grandchild may hold the pipe open for longer.
    let said = said.recv_timeout(deadline.saturating_sub(begun.elapsed()));
    if !status.success() {
        return Err(format!("`{shown}` ended with {status}; run it yourself to see why"));
    }
    let said = said.map_err(|_| late())?;
    if said.len() > LONGEST {
        return Err(format!("`{shown}` says more than the 1 MiB that a Secret holds"));
    }
    let bare = said.strip_suffix(b"\n").map_or(&said[..], |line| line.strip_suffix(b"\r").unwrap_or(line));
    Ok(Secret::new(bare))
}

/// Reads on a thread of its own, into a buffer that never grows and so leaves no copies.
fn reading(child: &mut Child) -> mpsc::Receiver<Zeroizing<Vec<u8>>> {
    let (sender, receiver) = mpsc::channel();
    let pipe = child.stdout.take();
    thread::spawn(move || {
        let mut said = Zeroizing::new(Vec::with_capacity(LONGEST + 64));
        let limit = u64::try_from(LONGEST + 1).unwrap_or(u64::MAX);
        if pipe.is_some_and(|pipe| pipe.take(limit).read_to_end(&mut said).is_ok()) {
            // Nobody listens any more: it came too late.
            let _ = sender.send(said);
        }
    });
    receiver
}

fn ended(child: &mut Child, begun: Instant, deadline: Duration) -> Option<ExitStatus> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if begun.elapsed() < deadline => thread::sleep(Duration::from_millis(5)),
            _ => {
                // It may have ended in between; either way it is reaped.
                let _ = child.kill();
                let _ = child.wait();
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(words: &[&str]) -> Program {
        words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>().into()
    }

    fn sh(script: &str) -> Result<String, String> {
        within(&program(&["sh", "-c", script]), Duration::from_secs(5)).map(|said| said.expose_str().unwrap().to_owned())
    }

    #[test]
    fn one_line_end_is_cut_and_nothing_else() {
        for (script, said) in [("echo a", "a"), ("printf a", "a"), ("printf 'a\\r\\n'", "a"), ("printf 'a \\n\\n'", "a \n"), ("true", "")] {
            assert_eq!(sh(script).as_deref(), Ok(said), "{script}");
        }
    }

    #[test]
    fn what_fails_tells_nothing_that_was_said() {
        let failed = sh("echo value; echo why >&2; exit 3").unwrap_err();
        assert!(failed.contains("exit status: 3") && !failed.contains("value\n"), "{failed}");
        assert!(of(&program(&["/nowhere/pass"])).unwrap_err().contains("could not run `/nowhere/pass`"));
        assert!(sh("head -c 2000000 /dev/zero").is_err());
    }

    #[test]
    fn a_silent_program_is_ended() {
        let begun = Instant::now();
        let late = within(&program(&["sleep", "60"]), Duration::from_millis(100)).unwrap_err();
        assert!(late.contains("did not end within") && begun.elapsed() < Duration::from_secs(10), "{late}");
    }
}
