//! Programs run to their end: with a deadline, and with words for when they fail.

use std::fs::File;
use std::io::{Read, Seek};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// How long a program may take that nobody gave another limit.
const LIMIT: Duration = Duration::from_secs(120);

/// How often a wait looks again.
const STEP: Duration = Duration::from_millis(50);

/// What a program left behind.
pub struct Ended {
    /// `None`: it was killed at its deadline.
    pub status: Option<ExitStatus>,
    /// All of its standard output, invalid UTF-8 replaced.
    pub stdout: String,
    /// All of its standard error, invalid UTF-8 replaced.
    pub stderr: String,
}

/// Runs `command` and returns its standard output; anything but success within two minutes is an error that shows what it
/// printed last.
pub fn run(command: &mut Command) -> Result<String> {
    run_within(command, LIMIT)
}

/// [`run`] with another limit.
pub fn run_within(command: &mut Command, limit: Duration) -> Result<String> {
    let ended = finish(command, limit)?;
    match ended.status {
        Some(status) if status.success() => Ok(ended.stdout),
        status => bail!("{}: {}\n{}", shown(command), verdict(status), tail(&ended)),
    }
}

/// Runs `command` for at most `limit`, then kills it. Its output goes through files, so a grandchild that keeps the
/// descriptors open holds nobody up.
pub fn finish(command: &mut Command, limit: Duration) -> Result<Ended> {
    let mut stdout = tempfile::tempfile()?;
    let mut stderr = tempfile::tempfile()?;
    command.stdin(Stdio::null()).stdout(stdout.try_clone()?).stderr(stderr.try_clone()?);
    let mut child = command.spawn().with_context(|| format!("starting {}", shown(command)))?;
    let deadline = Instant::now() + limit;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break Some(status);
        }
        if Instant::now() > deadline {
            child.kill()?;
            child.wait()?;
            break None;
        }
        std::thread::sleep(STEP / 5);
    };
    Ok(Ended { status, stdout: text(&mut stdout)?, stderr: text(&mut stderr)? })
}

/// Looks until `look` sees something, at most for `limit`; `what` is named when it never does.
pub fn until<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(seen) = look()? {
            return Ok(seen);
        }
        if Instant::now() > deadline {
            bail!("waited {} s for {what}", limit.as_secs());
        }
        std::thread::sleep(STEP);
    }
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

fn verdict(status: Option<ExitStatus>) -> String {
    status.map_or_else(|| "killed at its deadline".into(), |status| status.to_string())
}

fn tail(ended: &Ended) -> String {
    let all: Vec<&str> = ended.stdout.lines().chain(ended.stderr.lines()).collect();
    all[all.len().saturating_sub(20)..].join("\n")
}

fn text(file: &mut File) -> Result<String> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failure_shows_the_last_words() {
        let error = run(Command::new("sh").args(["-c", "echo why >&2; exit 3"])).unwrap_err().to_string();
        assert!(error.contains("exit status: 3") && error.ends_with("why"), "{error}");
    }

    #[test]
    fn deadline_kills() {
        let started = Instant::now();
        let ended = finish(Command::new("sleep").arg("60"), Duration::from_millis(100)).unwrap();
        assert!(ended.status.is_none() && started.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn a_grandchild_that_stays_holds_nobody_up() {
        let started = Instant::now();
        finish(Command::new("sh").args(["-c", "sleep 20 & echo done"]), Duration::from_secs(60)).unwrap();
        assert!(started.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn a_wait_names_what_it_waited_for() {
        let error = until("godot", Duration::ZERO, || Ok(None::<()>)).unwrap_err().to_string();
        assert_eq!(error, "waited 0 s for godot");
    }
}
