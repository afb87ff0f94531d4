//! `--host` and `--step`: a name that nothing bears is a usage error that lists the known ones, and nothing is contacted.

use std::process::Output;

use assert_cmd::Command;

use crate::project;

fn run(arguments: &[&str]) -> Output {
    let scratch = project::of(&project::root().join("inventory.example.toml"));
    Command::new(assert_cmd::cargo::cargo_bin("bedplate"))
        .args(arguments)
        .current_dir(scratch.path())
        .env("PATH", "/nowhere")
        .output()
        .unwrap()
}

fn refused(arguments: &[&str], words: &[&str]) {
    let ran = run(arguments);
    let stderr = String::from_utf8(ran.stderr).unwrap();
    assert_eq!(ran.status.code(), Some(64), "{arguments:?}: {stderr}");
    for word in words {
        assert!(stderr.contains(word), "{arguments:?} lacks {word:?}: {stderr}");
    }
}

#[test]
fn an_unknown_host_lists_the_known_ones() {
    for subcommand in ["plan", "verify"] {
        refused(&[subcommand, "--host", "dropelt"], &["no host is called dropelt", "known are: droplet"]);
    }
}

#[test]
fn an_unknown_database_says_where_to_describe_it() {
    refused(&["rotate", "database", "orders"], &["no database is called orders", "describe it in [[databases]]"]);
}

#[test]
fn an_unknown_step_lists_the_known_ones() {
    for subcommand in ["plan", "verify"] {
        refused(&[subcommand, "--step", "k4s"], &["no step is called k4s", "preflight", "k3s", "secret/shop/shop-secrets"]);
    }
}

#[test]
fn an_unknown_image_lists_the_known_ones() {
    refused(&["images", "push", "inventory.toml", "wbe"], &["no image is called wbe", "known are: auth, web"]);
}

#[test]
fn a_step_that_is_not_of_the_host_is_said_so() {
    refused(&["plan", "--host", "droplet", "--step", "release"], &["no step release concerns host droplet"]);
}

/// Without `ssh` in reach, what is asked of the host fails as such, with another code.
#[test]
fn known_names_are_taken_also_as_kinds_and_more_than_once() {
    let narrowed = ["verify", "--host", "droplet", "--step", "preflight", "--step", "k3s"];
    for arguments in [&["plan", "--step", "secret", "--step", "secret/shop/shop-secrets"][..], &narrowed] {
        assert_ne!(run(arguments).status.code(), Some(64), "{arguments:?}");
    }
}

/// What looks only can't be told to put anything up.
#[test]
fn nothing_but_verify_probes() {
    for subcommand in ["plan", "diagnose", "bootstrap"] {
        refused(&[subcommand, "--probe"], &["--probe"]);
    }
}

#[test]
fn bootstrap_and_diagnose_are_never_narrowed() {
    for subcommand in ["bootstrap", "diagnose"] {
        assert_eq!(run(&[subcommand, "--step", "k3s"]).status.code(), Some(64), "{subcommand}");
    }
}
