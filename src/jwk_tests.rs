use super::*;

/// The example key of RFC 7638 §3.1.
const RSA: &str = "-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA0vx7agoebGcQSuuPiLJX
ZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tS
oc/BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ/2W+5JsGY4Hc5n9yBXArwl93lqt
7/RN5w6Cf0h4QyQ5v+65YGjQR0/FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0
zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt+bFTWhAI4vMQFh6WeZu0f
M4lFd2NcRwr3XPksINHaQ+G/xBniIqbw0Ls1jF44+csFCur+kEgU8awapJzKnqDK
gwIDAQAB
-----END PUBLIC KEY-----
";
/// The first example key of RFC 7517 §A.1.
const P256: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEMKBCTNIcKUSDii11ySs3526iDZ8A
iTo7Tu6KPAqv7D7gS2XpJFbZiItSs3m9+9Ue6GnvHw/GW2ZZaVtszggXIw==
-----END PUBLIC KEY-----
";
/// The example key of RFC 8037 §A.2.
const ED25519: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
-----END PUBLIC KEY-----
";

fn key(pem: &str) -> PublicKey {
    PublicKey::of_pem(pem.as_bytes()).unwrap()
}

#[test]
fn the_thumbprint_of_an_rsa_key_is_that_of_rfc_7638() {
    assert_eq!(key(RSA).kid(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    assert_eq!(key(RSA).kind, KeyKind::Rs256 { bits: 2048 });
}

#[test]
fn the_thumbprint_of_an_ed25519_key_is_that_of_rfc_8037() {
    assert_eq!(key(ED25519).kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    assert_eq!(key(ED25519).kind, KeyKind::EdDsa);
}

/// No RFC holds a vector; this one is `sha256sum` over `{"crv":"P-256","kty":"EC","x":"MKBC…","y":"4Etl…"}`.
#[test]
fn the_thumbprint_of_a_p256_key_is_over_curve_and_coordinates() {
    assert_eq!(key(P256).kid(), "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s");
    assert_eq!(key(P256).kind, KeyKind::Es256);
}

#[test]
fn a_jwk_says_what_it_is_for() {
    let expected = json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "alg": "EdDSA",
        "kid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", "use": "sig" });
    assert_eq!(key(ED25519).jwk(), expected);
    let jwk = key(P256).jwk();
    assert_eq!(
        (&jwk["x"], &jwk["y"]),
        (&json!("MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4"), &json!("4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"))
    );
}

#[test]
fn what_is_no_such_key_is_none() {
    use rcgen::PublicKeyData as _;
    let other_curve = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
    assert_eq!(PublicKey::of(&other_curve.subject_public_key_info()), None);
    assert_eq!(PublicKey::of(b"no key"), None);
    assert_eq!(PublicKey::of_pem(b"no key"), None);
}
