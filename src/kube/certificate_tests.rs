use std::sync::Arc;
use std::time::Duration;

use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use x509_parser::parse_x509_certificate;

use super::*;

const NOW: i64 = 1_767_225_600;
const DAY: i64 = 86_400;

fn made(names: &[&str]) -> Made {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    make(&names, Timestamp::from_second(NOW).unwrap()).unwrap()
}

fn parsed(pem: &Secret) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem.expose()).collect::<Result<_, _>>().unwrap()
}

/// As a visitor who trusts nothing but `ca`.
fn verified(made: &Made, ca: &Secret, name: &str, at: i64) -> bool {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(parsed(ca).remove(0)).unwrap();
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
    let (chain, at) = (parsed(&made.chain), UnixTime::since_unix_epoch(Duration::from_secs(at.cast_unsigned())));
    verifier.verify_server_cert(&chain[0], &chain[1..], &ServerName::try_from(name.to_owned()).unwrap(), &[], at).is_ok()
}

#[test]
fn it_is_for_its_names_and_its_time() {
    let made = made(&["home.local", "www.home.local", "home"]);
    for name in ["home.local", "www.home.local", "home"] {
        assert!(verified(&made, &made.ca, name, NOW), "{name}");
    }
    assert!(!verified(&made, &made.ca, "other.local", NOW));
    let times = [-2 * DAY, -DAY, LIFETIME * DAY, (LIFETIME + 1) * DAY].map(|after| verified(&made, &made.ca, "home.local", NOW + after));
    assert_eq!(times, [false, true, true, false]);
}

#[test]
fn nobody_else_s_ca_vouches_for_it() {
    let (one, other) = (made(&["home.local"]), made(&["home.local"]));
    assert!(!verified(&one, &other.ca, "home.local", NOW));
}

#[test]
fn its_ca_is_good_for_nothing_else() {
    let made = made(&["home.local"]);
    let ca = parsed(&made.ca).remove(0);
    let (_, ca) = parse_x509_certificate(&ca).unwrap();
    let constraints = ca.name_constraints().unwrap().unwrap();
    let permitted: Vec<_> = constraints.value.permitted_subtrees.iter().flatten().map(|subtree| &subtree.base).collect();
    assert_eq!(format!("{permitted:?} {}", constraints.critical), "[DNSName(\"home.local\")] true");
}

#[test]
fn the_key_is_the_leaf_s() {
    let made = made(&["home.local"]);
    let key = PrivateKeyDer::from_pem_slice(made.key.expose()).unwrap();
    let key = rustls::crypto::aws_lc_rs::sign::any_supported_type(&key).unwrap();
    assert!(rustls::sign::CertifiedKey::new(parsed(&made.chain), key).keys_match().is_ok());
}

#[test]
fn a_name_may_be_longer_than_what_is_shown_of_it() {
    let long = format!("{}.local", "a".repeat(60));
    let made = made(&[&long]);
    assert!(verified(&made, &made.ca, &long, NOW));
    assert!(make(&[], Timestamp::UNIX_EPOCH).is_err());
}
