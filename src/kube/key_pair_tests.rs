use std::path::Path;
use std::process::Command;

use super::*;

#[test]
fn other_sizes_are_refused() {
    let refused = make(KeyKind::Rs256 { bits: 1024 }).err().unwrap();
    assert_eq!(refused, "keys of 1024 bits can't be made: 2048, 3072 and 4096 can");
}

fn openssl(arguments: &[&str], folder: &Path) -> String {
    let done = Command::new("openssl").args(arguments).current_dir(folder).output().expect("openssl is needed");
    assert!(done.status.success(), "openssl {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).into_owned()
}

/// What openssl says of the public half, once it has signed with one half and verified with the other.
fn told_by_openssl(kind: KeyKind, sign: &[&str], verify: &[&str]) -> String {
    let made = make(kind).unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("private.pem"), made.private.expose()).unwrap();
    std::fs::write(folder.path().join("public.pem"), made.public.expose()).unwrap();
    std::fs::write(folder.path().join("text"), "header.payload").unwrap();
    assert!(made.private.expose_str().unwrap().starts_with("-----BEGIN PRIVATE KEY-----"));
    openssl(sign, folder.path());
    let said = openssl(verify, folder.path());
    assert!(said.contains("Verified OK") || said.contains("Signature Verified Successfully"), "{said}");
    assert_eq!(PublicKey::of_pem(made.public.expose()).unwrap().kid(), made.kid);
    openssl(&["pkey", "-pubin", "-in", "public.pem", "-noout", "-text"], folder.path())
}

const SIGN: &[&str] = &["dgst", "-sha256", "-sign", "private.pem", "-out", "signature", "text"];
const VERIFY: &[&str] = &["dgst", "-sha256", "-verify", "public.pem", "-signature", "signature", "text"];

#[test]
fn openssl_uses_an_rsa_pair() {
    assert!(told_by_openssl(KeyKind::Rs256 { bits: 2048 }, SIGN, VERIFY).contains("2048 bit"));
}

#[test]
fn openssl_uses_a_p256_pair() {
    assert!(told_by_openssl(KeyKind::Es256, SIGN, VERIFY).contains("NIST CURVE: P-256"));
}

#[test]
fn openssl_uses_an_ed25519_pair() {
    let sign = &["pkeyutl", "-sign", "-rawin", "-inkey", "private.pem", "-in", "text", "-out", "signature"];
    let verify = &["pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", "public.pem", "-in", "text", "-sigfile", "signature"];
    assert!(told_by_openssl(KeyKind::EdDsa, sign, verify).contains("ED25519"));
}
