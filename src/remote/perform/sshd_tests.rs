//! The scripts, with a sshd and a systemd of make-believe: what holds is what sshd read when it was last told to.

use std::fs;
use std::path::PathBuf;

use super::super::stage::{Host, some};
use super::*;

const PROGRAMS: [(&str, &str); 5] = [
    ("sshd", "! grep -qs broken \"$AT/etc/sshd_config\""),
    (
        "other",
        "case $1 in show) echo \"$PID\";; reload) [ ! -e \"$AT/stuck\" ] || exit 1; if [ -e \"$AT/etc/kept\" ]; then cp -- \"$AT/etc/kept\" \"$AT/live\"; else rm -f -- \"$AT/live\"; fi;; esac",
    ),
    // Never the same.
    ("cksum", "echo x >>\"$AT/sums\"; wc -l <\"$AT/sums\""),
    ("ss", "echo \"users:((\\\"sshd\\\",pid=$PID,fd=3))\""),
    (
        "systemd-tmpfiles",
        "for f; do :; done; while read -r t p _ _ _ _ x; do case $t in 'r!') rm -f -- \"$p\";; \
         'f+!') printf %b \"$(printf %s \"$x\" | sed 's/%%/%/g')\" >\"$p\";; esac; done <\"$f\"",
    ),
];
const ONE: &str = "bedplate-switch-sshd-1";
const TWO: &str = "bedplate-switch-sshd-2";

fn host() -> Host {
    let host = Host::with(&PROGRAMS, |host, settings| trial(settings, mark(host).to_str().unwrap()));
    fs::write(host.at("ssh.service"), "").unwrap();
    host
}

/// What goes back lies here.
fn mark(host: &Host) -> PathBuf {
    host.at("tmpfiles.d/sshd.conf")
}

#[test]
fn what_nobody_proves_is_taken_back() {
    let host = host();
    assert!(host.arms("new\n", ONE));
    assert_eq!((host.state(), mark(&host).exists()), ((some("new\n"), some("new\n"), 1), true));
    host.falls(ONE);
    assert_eq!((host.state(), mark(&host).exists()), ((None, None, 0), false));
    // Too late.
    assert!(!host.keeps("new\n", ONE));
    assert_eq!(host.state(), (None, None, 0));
}

#[test]
fn what_is_proven_stays_and_is_what_the_next_switch_goes_back_to() {
    let host = host();
    // What tmpfiles.d(5) takes for its own.
    let good = "# 100 %u \\n \"it\"\n\n\tA b\n";
    assert!(host.arms(good, ONE) && host.keeps(good, ONE));
    assert_eq!((host.state(), mark(&host).exists()), ((some(good), some(good), 0), false));
    assert!(host.arms("bad\n", TWO));
    assert_eq!(host.state(), (some("bad\n"), some("bad\n"), 1));
    assert!(host.takes_back(TWO));
    assert_eq!((host.state(), mark(&host).exists()), ((some(good), some(good), 0), false));
}

#[test]
fn a_boot_goes_back_as_well_and_what_is_tried_then_does_not_forget_it() {
    let host = host();
    assert!(host.arms("good\n", ONE) && host.keeps("good\n", ONE) && host.arms("bad\n", TWO));
    let boot = format!("systemd-tmpfiles --boot {}", mark(&host).display());
    assert!(host.run(&boot, ""));
    assert_eq!(fs::read_to_string(host.path()).unwrap(), "good\n");
    assert!(host.arms("worse\n", ONE));
    host.falls(ONE);
    assert_eq!(host.state().1, some("good\n"));
}

#[test]
fn a_sshd_that_could_not_be_told_is_told_by_the_switch() {
    let host = host();
    assert!(host.arms("new\n", ONE));
    fs::write(host.at("stuck"), "").unwrap();
    assert!(!host.takes_back(ONE));
    assert_eq!((host.state(), mark(&host).exists()), ((some("new\n"), None, 1), true));
    fs::remove_file(host.at("stuck")).unwrap();
    host.falls(ONE);
    assert_eq!((host.state(), mark(&host).exists()), ((None, None, 0), false));
}

#[test]
fn what_a_killed_run_tried_is_nothing_to_go_back_to() {
    let host = host();
    assert!(host.arms("first\n", ONE) && host.arms("second\n", TWO));
    assert_eq!(host.state(), (some("second\n"), some("second\n"), 1));
    host.falls(TWO);
    assert_eq!(host.state(), (None, None, 0));
}

#[test]
fn a_switch_that_falls_once_all_is_proven_changes_nothing() {
    let host = host();
    assert!(host.arms("new\n", ONE));
    // Killed between the proof and the stop.
    fs::remove_file(mark(&host)).unwrap();
    host.falls(ONE);
    assert_eq!(host.state(), (some("new\n"), some("new\n"), 0));
}

#[test]
fn where_sshd_refuses_its_files_already_nothing_is_tried() {
    let host = host();
    fs::create_dir(host.at("etc")).unwrap();
    fs::write(host.at("etc/sshd_config"), "broken").unwrap();
    assert!(!host.arms("new\n", ONE));
    assert_eq!((host.state(), mark(&host).exists()), ((None, None, 0), false));
}

#[test]
fn where_a_socket_starts_sshd_nobody_is_told() {
    let host = host();
    fs::remove_file(host.at("ssh.service")).unwrap();
    assert!(host.arms("new\n", ONE) && host.keeps("new\n", ONE));
    assert_eq!(host.state(), (None, some("new\n"), 0));
}
