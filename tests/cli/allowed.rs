//! What only a flag allows.

use crate::endings::ended;

#[test]
fn nothing_is_removed_unasked() {
    let ran = ended(&["bootstrap", "--prune", "inventory.toml"], "exit 255");
    let told = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert_eq!(ran.status.code(), Some(64), "{told}");
    assert!(told.contains("there is no terminal") && told.contains("--prune --yes"), "{told}");
}

#[test]
fn yes_alone_is_no_sense_and_verify_removes_nothing() {
    for arguments in [&["bootstrap", "--yes"][..], &["verify", "--prune"], &["verify", "--adopt"], &["verify", "--no-challenge-probe"]] {
        assert_eq!(ended(arguments, "exit 255").status.code(), Some(64), "{arguments:?}");
    }
    for arguments in
        [&["bootstrap", "--adopt", "--prune", "--yes", "--no-challenge-probe"][..], &["plan", "--adopt", "--prune", "--no-challenge-probe"]]
    {
        assert_eq!(ended(arguments, "exit 255").status.code(), Some(69), "{arguments:?}");
    }
}

#[test]
fn tokens_end_only_when_somebody_says_so() {
    let ran = ended(&["rotate", "jwt", "inventory.toml"], "exit 255");
    let told = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert_eq!(ran.status.code(), Some(64), "{told}");
    assert!(told.contains("there is no terminal") && told.contains("in `public`") && told.contains("--yes"), "{told}");
    assert_eq!(ended(&["rotate", "jwt", "inventory.toml", "jwt-keys", "--yes"], "exit 255").status.code(), Some(69));
}

#[test]
fn an_unknown_pair_is_not_rotated() {
    let ran = ended(&["rotate", "jwt", "inventory.toml", "other", "--yes"], "exit 255");
    let told = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert_eq!(ran.status.code(), Some(64), "{told}");
    assert!(told.contains("no [[jwt_keys]] has secret = \"other\"") && told.contains("known are: jwt-keys"), "{told}");
}
