//! The scripts, with a nftables and a systemd of make-believe.

use std::fs;

use super::super::stage::{Host, some};
use super::*;

const NFT: (&str, &str) = (
    "nft",
    "[ ! -e \"$AT/stuck\" ] || exit 1; case $1 in -c) ;; -f) r=$(cat -- \"$2\") && printf %s \"$r\" >\"$AT/live\";; delete) rm -- \"$AT/live\";; esac",
);
const ONE: &str = "bedplate-switch-rules-1";
const TWO: &str = "bedplate-switch-rules-2";

fn host() -> Host {
    Host::with(&[NFT], |_, rules| trial(rules))
}

#[test]
fn what_nobody_proves_is_taken_back() {
    let host = host();
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
    let host = host();
    assert!(host.arms("good", ONE) && host.keeps("good", ONE));
    assert_eq!(host.state(), (some("good"), some("good"), 0));
    assert!(host.arms("bad", TWO));
    assert_eq!(host.state(), (some("bad"), some("good"), 1));
    assert!(host.takes_back(TWO));
    assert_eq!(host.state(), (some("good"), some("good"), 0));
}

#[test]
fn a_switch_that_a_killed_run_left_does_not_fall_into_the_next_one() {
    let host = host();
    assert!(host.arms("first", ONE) && host.arms("second", TWO));
    assert!(host.at(&format!("{TWO}.timer")).exists());
    assert_eq!(host.state(), (some("second"), None, 1));
}

#[test]
fn a_switch_that_falls_once_the_file_is_there_changes_nothing() {
    let host = host();
    assert!(host.arms("new", ONE));
    // Killed between the name and the stop.
    fs::create_dir(host.at("etc")).unwrap();
    fs::write(host.path(), "new").unwrap();
    host.falls(ONE);
    assert_eq!(host.state(), (some("new"), some("new"), 0));
}

#[test]
fn half_a_payload_is_neither_tried_nor_kept() {
    let host = host();
    assert!(!host.run(&host.trial("new!").arm(ONE), "ne"));
    assert_eq!(host.state(), (None, None, 0));
}

#[test]
fn what_could_not_be_taken_back_is_left_to_the_switch() {
    let host = host();
    assert!(host.arms("bad", ONE));
    fs::write(host.at("stuck"), "").unwrap();
    assert!(!host.takes_back(ONE));
    assert_eq!(host.state(), (some("bad"), None, 1));
    fs::remove_file(host.at("stuck")).unwrap();
    host.falls(ONE);
    assert_eq!(host.state(), (None, None, 0));
}

#[test]
fn a_switch_that_fell_before_it_held_leaves_nothing_behind() {
    let host = host();
    let trial = host.trial("bad");
    let fallen = format!("systemctl stop {ONE}.timer\n{}", trial.enforce);
    assert!(host.run(&Trial { enforce: fallen, ..trial }.arm(ONE), "bad"));
    assert_eq!(host.state(), (some("bad"), None, 0));
    assert!(host.takes_back(ONE));
    assert_eq!(host.state(), (None, None, 0));
}

#[test]
fn only_a_door_that_rules_can_shut_is_told_with_their_cure() {
    use crate::model::HostId;
    use crate::remote::error::Error;
    let told = |refusal| host().trial("new").shut(Error::Connect(refusal, String::new())).told(&HostId("a".into()), "try").cure;
    assert!(told(LoginRefusal::NoAnswer).contains("[firewall]"));
    let full = LoginRefusal::Throttled(crate::remote::refusal::Throttle::MaxStartups);
    assert!(told(full).contains("raise MaxStartups"));
}
