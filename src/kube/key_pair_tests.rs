use std::path::Path;
use std::process::Command;

use super::*;

#[test]
fn other_sizes_are_refused() {
    assert_eq!(make(1024).err().unwrap(), "keys of 1024 bits can't be made: 2048, 3072 and 4096 can");
}

/// The example key of RFC 7638 §3.1 and its thumbprint there.
#[test]
fn the_thumbprint_is_that_of_the_rfc() {
    let spki = x509_parser::pem::parse_x509_pem(
        b"-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA0vx7agoebGcQSuuPiLJX
ZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tS
oc/BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ/2W+5JsGY4Hc5n9yBXArwl93lqt
7/RN5w6Cf0h4QyQ5v+65YGjQR0/FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0
zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt+bFTWhAI4vMQFh6WeZu0f
M4lFd2NcRwr3XPksINHaQ+G/xBniIqbw0Ls1jF44+csFCur+kEgU8awapJzKnqDK
gwIDAQAB
-----END PUBLIC KEY-----
",
    );
    let (_, pem) = spki.unwrap();
    assert_eq!(thumbprint(&pem.contents).unwrap(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

fn openssl(arguments: &[&str], folder: &Path) -> String {
    let done = Command::new("openssl").args(arguments).current_dir(folder).output().expect("openssl is needed");
    assert!(done.status.success(), "openssl {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).into_owned()
}

#[test]
fn openssl_signs_with_one_half_and_verifies_with_the_other() {
    let made = make(2048).unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("private.pem"), made.private.expose()).unwrap();
    std::fs::write(folder.path().join("public.pem"), made.public.expose()).unwrap();
    std::fs::write(folder.path().join("text"), "header.payload").unwrap();
    assert!(made.private.expose_str().unwrap().starts_with("-----BEGIN PRIVATE KEY-----"));
    openssl(&["dgst", "-sha256", "-sign", "private.pem", "-out", "signature", "text"], folder.path());
    let said = openssl(&["dgst", "-sha256", "-verify", "public.pem", "-signature", "signature", "text"], folder.path());
    assert_eq!(said.trim(), "Verified OK");
    assert!(openssl(&["pkey", "-pubin", "-in", "public.pem", "-noout", "-text"], folder.path()).contains("2048 bit"));
}
