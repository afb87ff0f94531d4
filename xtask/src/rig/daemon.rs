//! Programs that stay when we leave, found again by process id and start time.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use serde::{Deserialize, Serialize};

use super::network;
use super::place::Place;
use crate::run::until;

/// A program that runs in the background.
#[derive(Serialize, Deserialize, PartialEq, Debug)]
pub struct Daemon {
    name: String,
    /// Its process id, which alone could have passed to another.
    pub pid: i32,
    /// Its start in clock ticks since boot, see proc(5): with the pid, nobody else's.
    started: u64,
}

impl Daemon {
    /// Starts `command` in a session of its own, its output in the log of that name.
    pub fn start(place: &Place, name: &str, command: &Command) -> Result<Self> {
        let log = File::create(place.folder("logs")?.join(name))?;
        let mut detached = Command::new("setsid");
        detached.arg(command.get_program()).args(command.get_args());
        for (key, value) in command.get_envs() {
            if let Some(value) = value {
                detached.env(key, value);
            }
        }
        detached.current_dir("/").stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child = detached.spawn().with_context(|| format!("starting {name}"))?;
        let pid = i32::try_from(child.id())?;
        let stat = Stat::of(pid).with_context(|| format!("{name} ended at once"))?;
        let daemon = Self { name: name.to_owned(), pid, started: stat.started };
        fs::write(record(place, name)?, toml::to_string(&daemon)?)?;
        Ok(daemon)
    }

    /// The one of that name that an earlier run left, if it is still alive.
    pub fn find(place: &Place, name: &str) -> Result<Option<Self>> {
        let Ok(text) = fs::read_to_string(record(place, name)?) else { return Ok(None) };
        let daemon: Self = toml::from_str(&text)?;
        Ok(daemon.alive().then_some(daemon))
    }

    /// Every name that was started and not ended.
    pub fn names(place: &Place) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(place.folder("run")?)? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    }

    /// Whether it still runs; a zombie does not.
    pub fn alive(&self) -> bool {
        Stat::of(self.pid).is_some_and(|stat| stat.started == self.started && stat.state != 'Z')
    }

    /// Waits until it listens on that port of the bridge; shows its last words if it ends instead.
    pub fn listens(&self, place: &Place, port: u16) -> Result<()> {
        until(&format!("{} to listen on port {port}", self.name), Duration::from_secs(20), || {
            ensure!(self.alive(), "{} ended:\n{}", self.name, self.last_words(place)?);
            Ok(network::listening(port)?.then_some(()))
        })
    }

    /// The end of its log.
    pub fn last_words(&self, place: &Place) -> Result<String> {
        let log = fs::read(place.folder("logs")?.join(&self.name))?;
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        Ok(lines[lines.len().saturating_sub(20)..].join("\n"))
    }

    /// Asks it to go with `signal`, and is done when it is gone.
    pub fn end(&self, place: &Place, signal: Signal) -> Result<()> {
        let gone = || Ok((!self.alive()).then_some(()));
        if self.alive() {
            send(self.pid, signal)?;
        }
        if until("", Duration::from_secs(5), gone).is_err() {
            send(self.pid, Signal::KILL)?;
            until(&format!("the end of {}, process {}", self.name, self.pid), Duration::from_secs(20), gone)?;
        }
        // If it is our own child, it stays a zombie until somebody asks how it ended.
        let _ = Pid::from_raw(self.pid).map(|pid| waitpid(Some(pid), WaitOptions::NOHANG));
        fs::remove_file(record(place, &self.name)?)?;
        Ok(())
    }
}

/// Sends `signal` to `pid`; one that is gone already is fine.
pub fn send(pid: i32, signal: Signal) -> Result<()> {
    let target = Pid::from_raw(pid).context("process id 0 is nobody")?;
    match kill_process(target, signal) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(error) => Err(error).with_context(|| format!("signalling process {pid}")),
    }
}

fn record(place: &Place, name: &str) -> Result<PathBuf> {
    Ok(place.folder("run")?.join(name))
}

struct Stat {
    state: char,
    started: u64,
}

impl Stat {
    fn of(pid: i32) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// The program's name stands in brackets and may hold brackets and blanks itself.
    fn parse(line: &str) -> Option<Self> {
        let fields: Vec<&str> = line.rsplit_once(')')?.1.split_whitespace().collect();
        Some(Self { state: fields.first()?.chars().next()?, started: fields.get(19)?.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> (tempfile::TempDir, Place) {
        let folder = tempfile::tempdir().unwrap();
        let place = Place { state: folder.path().into(), cache: folder.path().into() };
        (folder, place)
    }

    #[test]
    fn found_again_and_ended() {
        let (_folder, place) = place();
        let mut sleep = Command::new("sleep");
        sleep.arg("60");
        let started = Daemon::start(&place, "sleeper", &sleep).unwrap();
        assert_eq!(Daemon::find(&place, "sleeper").unwrap().as_ref(), Some(&started));
        started.end(&place, Signal::TERM).unwrap();
        assert_eq!(Daemon::find(&place, "sleeper").unwrap(), None);
        assert!(Daemon::names(&place).unwrap().is_empty());
    }

    #[test]
    fn another_process_of_that_id_is_not_ours() {
        let ours = i32::try_from(std::process::id()).unwrap();
        let started = Stat::of(ours).unwrap().started;
        assert!(Daemon { name: String::new(), pid: ours, started }.alive());
        assert!(!Daemon { name: String::new(), pid: ours, started: started + 1 }.alive());
    }

    #[test]
    fn names_with_brackets() {
        let stat = Stat::parse("7 (a) b) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4242 20").unwrap();
        assert_eq!((stat.state, stat.started), ('S', 4242));
    }
}
