//! A broken inventory: exit 65, each problem with line, column and cure, and nothing is contacted.

use std::fs;
use std::path::Path;

use assert_cmd::Command;

use crate::project;
use crate::test_program::write_program;

/// A program that leaves a mark when it is called.
fn tripwire(folder: &Path, name: &str) {
    write_program(&folder.join(name), &format!("#!/bin/sh\ntouch {}/called\nexit 255\n", folder.display()));
}

/// What came of a run in the case's project.
struct Ran {
    code: Option<i32>,
    stderr: String,
    called_ssh: bool,
}

fn run(subcommand: &str, case: &Path) -> Ran {
    let scratch = project::of(case);
    let wires = tempfile::tempdir().unwrap();
    tripwire(wires.path(), "ssh");
    let path = format!("{}:{}", wires.path().display(), std::env::var("PATH").unwrap());
    let mut bedplate = Command::cargo_bin("bedplate").unwrap();
    let ran = bedplate.args([subcommand, "inventory.toml"]).current_dir(scratch.path()).env("PATH", path).output().unwrap();
    let called_ssh = wires.path().join("called").exists();
    Ran { code: ran.status.code(), stderr: String::from_utf8(ran.stderr).unwrap(), called_ssh }
}

fn refuse(subcommand: &str, case: &Path) {
    let what = format!("{subcommand} {}", case.file_name().unwrap().display());
    let Ran { code, stderr, called_ssh } = run(subcommand, case);
    assert_eq!(code, Some(65), "{what}: {stderr}");
    for block in blocks(&fs::read_to_string(case.with_extension("txt")).unwrap()) {
        assert!(stderr.contains(&block), "{what} lacks:\n{block}\nin:\n{stderr}");
    }
    assert!(!stderr.contains("canary"), "{what} shows a secret: {stderr}");
    assert!(!called_ssh, "{what} called ssh");
}

/// The problems of an expected text, one by one: each begins with its place.
fn blocks(expected: &str) -> Vec<String> {
    let mut blocks: Vec<String> = Vec::new();
    for line in expected.lines() {
        match blocks.last_mut() {
            Some(last) if line.starts_with("  ") => last.extend(["\n", line]),
            _ => blocks.push(line.to_owned()),
        }
    }
    blocks
}

/// Else the silence of the broken ones would prove nothing.
#[test]
fn a_good_inventory_does_call_ssh() {
    let Ran { code, stderr, called_ssh } = run("plan", &project::root().join("inventory.example.toml"));
    assert!(called_ssh, "{stderr}");
    assert_eq!(code, Some(69), "{stderr}");
}

#[test]
fn every_broken_inventory_is_refused() {
    let cases = project::cases("bad");
    assert!(cases.len() >= 30);
    cases.iter().for_each(|case| refuse("bootstrap", case));
}

#[test]
fn every_subcommand_refuses() {
    let case = project::root().join("tests/inventories/bad/several_at_once.toml");
    for subcommand in ["plan", "verify", "tunnel"] {
        refuse(subcommand, &case);
    }
}

#[test]
fn an_inventory_that_is_not_there_is_named() {
    let scratch = tempfile::tempdir().unwrap();
    let ran = Command::cargo_bin("bedplate").unwrap().args(["plan", "absent.toml"]).current_dir(scratch.path()).output().unwrap();
    let stderr = String::from_utf8(ran.stderr).unwrap();
    assert_eq!(ran.status.code(), Some(65), "{stderr}");
    assert!(stderr.contains("absent.toml:1:1: could not read it"), "{stderr}");
}
