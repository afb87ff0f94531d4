//! How a run ends: exit code, and what goes to which stream.

use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::project;
use crate::test_program::write_program;

/// `bedplate` in the example's project, with an `ssh` that does this.
fn bedplate(arguments: &[&str], ssh: &str) -> (Command, [tempfile::TempDir; 2]) {
    let (scratch, programs) = (project::of(&project::root().join("inventory.example.toml")), tempfile::tempdir().unwrap());
    write_program(&programs.path().join("ssh"), &format!("#!/bin/sh\n{ssh}\n"));
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("bedplate"));
    let path = format!("{}:{}", programs.path().display(), std::env::var("PATH").unwrap());
    command.args(arguments).current_dir(scratch.path()).env("PATH", path).stdin(Stdio::null());
    (command, [scratch, programs])
}

pub fn ended(arguments: &[&str], ssh: &str) -> Output {
    let (mut command, _folders) = bedplate(arguments, ssh);
    command.output().unwrap()
}

#[test]
fn a_wrong_command_line_is_64_and_help_is_none() {
    for (arguments, code) in [(&["plan", "--bogus"][..], 64), (&[], 64), (&["--help"], 0), (&["--version"], 0)] {
        assert_eq!(ended(arguments, "exit 255").status.code(), Some(code), "{arguments:?}");
    }
}

#[test]
fn json_alone_goes_to_stdout_also_when_no_host_is_reached() {
    for subcommand in ["plan", "diagnose"] {
        let ran = ended(&[subcommand, "inventory.toml", "--json"], "exit 255");
        assert_eq!(ran.status.code(), Some(69), "{subcommand}");
        let stdout = String::from_utf8(ran.stdout).unwrap();
        let events: Vec<serde_json::Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        // Hosts are reached when they are asked.
        assert_eq!(events.iter().map(|event| &event["event"]).collect::<Vec<_>>(), ["asking", "failed"], "{stdout}");
        assert_eq!(events[1]["exit"], 69, "{stdout}");
    }
}

#[test]
fn an_interrupted_run_is_130_and_says_so() {
    let (mut command, [scratch, _programs]) = bedplate(&["bootstrap", "inventory.toml"], "touch called; sleep 30");
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    while !scratch.path().join("called").exists() {
        assert!(begun.elapsed() < Duration::from_secs(20), "ssh was never called");
        std::thread::sleep(Duration::from_millis(20));
    }
    let begun = Instant::now();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let ran = child.wait_with_output().unwrap();
    assert_eq!(ran.status.code(), Some(130), "{}", String::from_utf8_lossy(&ran.stderr));
    assert!(String::from_utf8_lossy(&ran.stderr).contains("run it again"));
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}
