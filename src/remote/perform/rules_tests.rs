//! The scripts, with a nftables and a systemd of make-believe.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::*;
use crate::model::Content;

/// What is enforced is the file `live`; timers are files, and what each starts lies beside it.
const PROGRAMS: [(&str, &str); 4] = [
    ("nft", "case $1 in -c) ;; -f) cp -- \"$2\" \"$AT/live\";; delete) rm -- \"$AT/live\";; esac"),
    (
        "systemd-run",
        "for u; do case $u in --unit=*) n=${u#--unit=};; esac; done; printf %s \"$u\" >\"$AT/$n.service\"; : >\"$AT/$n.timer\"",
    ),
    (
        "systemctl",
        "v=$1; for u; do :; done; case $v in is-active) [ -e \"$AT/$u\" ];; stop) rm -- \"$AT/$u\";; start) sh -c \"$(cat \"$AT/$u\")\";;\n\
         list-units) cd \"$AT\" && for t in *.timer; do [ ! -e \"$t\" ] || echo \"$t loaded\"; done;; esac",
    ),
    // Who tests need not be root.
    ("chown", ":"),
];

struct Host(TempDir);

impl Host {
    fn new() -> Self {
        let host = Self(tempfile::tempdir().unwrap());
        fs::create_dir(host.at("bin")).unwrap();
        for (name, text) in PROGRAMS {
            let path = host.at("bin").join(name);
            fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        host
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn path(&self) -> String {
        self.at("etc/rules").to_str().unwrap().into()
    }

    fn run(&self, script: &str, payload: &str) -> bool {
        let mut shell = Command::new("sh")
            .args(["-c", script])
            .env("PATH", format!("{}:/usr/bin:/bin", self.at("bin").display()))
            .env("AT", self.0.path())
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        shell.stdin.take().unwrap().write_all(payload.as_bytes()).unwrap();
        shell.wait().unwrap().success()
    }

    fn arms(&self, rules: &str, switch: &str) -> bool {
        self.run(&arm(&self.path(), rules.len() as u64, switch), rules)
    }

    fn keeps(&self, rules: &str, switch: &str) -> bool {
        let write = FileWrite { path: self.path(), content: Content::Plain(rules.into()), mode: 0o644, owner: Owner::Root };
        self.run(&keep(&write, rules.len() as u64, switch), rules)
    }

    /// As the timer does when its time has come.
    fn falls(&self, switch: &str) {
        self.run(&fs::read_to_string(self.at(&format!("{switch}.service"))).unwrap(), "");
        fs::remove_file(self.at(&format!("{switch}.timer"))).unwrap();
    }

    /// What is enforced, what is kept, how many switches are set.
    fn state(&self) -> (Option<String>, Option<String>, usize) {
        let text = |name| fs::read_to_string(self.at(name)).ok();
        let switches =
            fs::read_dir(self.0.path()).unwrap().filter(|entry| entry.as_ref().unwrap().path().extension() == Some("timer".as_ref()));
        (text("live"), text("etc/rules"), switches.count())
    }
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

const ONE: &str = "bedplate-switch-1";
const TWO: &str = "bedplate-switch-2";

#[test]
fn what_nobody_proves_is_taken_back() {
    let host = Host::new();
    assert!(host.arms("new", ONE));
    assert_eq!(host.state(), (some("new"), None, 1));
    host.falls(ONE);
    assert_eq!(host.state(), (None, None, 0));
    // Too late.
    assert!(!host.keeps("new", ONE));
    assert_eq!(host.state(), (None, None, 0));
}

#[test]
fn what_is_proven_stays_and_is_what_the_next_switch_goes_back_to() {
    let host = Host::new();
    assert!(host.arms("good", ONE) && host.keeps("good", ONE));
    assert_eq!(host.state(), (some("good"), some("good"), 0));
    assert!(host.arms("bad", TWO));
    assert_eq!(host.state(), (some("bad"), some("good"), 1));
    assert!(host.run(&take_back(TWO), ""));
    assert_eq!(host.state(), (some("good"), some("good"), 0));
}

#[test]
fn a_switch_that_a_killed_run_left_does_not_fall_into_the_next_one() {
    let host = Host::new();
    assert!(host.arms("first", ONE) && host.arms("second", TWO));
    assert!(host.at(&format!("{TWO}.timer")).exists());
    assert_eq!(host.state(), (some("second"), None, 1));
}

#[test]
fn a_switch_that_falls_once_the_file_is_there_changes_nothing() {
    let host = Host::new();
    assert!(host.arms("new", ONE));
    // Killed between the name and the stop.
    fs::write(host.path(), "new").unwrap();
    host.falls(ONE);
    assert_eq!(host.state(), (some("new"), some("new"), 0));
}

#[test]
fn half_a_payload_is_neither_tried_nor_kept() {
    let host = Host::new();
    assert!(!host.run(&arm(&host.path(), 4, ONE), "ne"));
    assert_eq!(host.state(), (None, None, 0));
}
