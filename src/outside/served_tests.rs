use tokio::net::TcpListener;

use crate::outside::stand::{Leaf, Lifetime, Stand, closed, self_signed, serve_tls};

use super::*;

const NAME: &str = "shop.example";

async fn phase(roots: &Arc<Roots>, leaf: Leaf) -> Phase {
    look(roots, NAME, serve_tls(leaf, String::new()).await).await.unwrap().phase
}

fn untrusted(reason: &str) -> Phase {
    Phase::Untrusted(reason.into())
}

#[tokio::test]
async fn the_phase_is_whose_root_the_chain_verifies_to() {
    let stand = Stand::new();
    assert_eq!(phase(&stand.roots, stand.production.issue(&[NAME], Lifetime::Current)).await, Phase::Production);
    assert_eq!(phase(&stand.roots, stand.staging.issue(&[NAME], Lifetime::Current)).await, Phase::Staging);
}

#[tokio::test]
async fn names_decide_nothing() {
    let stand = Stand::named("(STAGING) Pretend Pear X1", "ISRG Root X1");
    assert_eq!(phase(&stand.roots, stand.production.issue(&[NAME], Lifetime::Current)).await, Phase::Production);
    assert_eq!(phase(&stand.roots, stand.staging.issue(&[NAME], Lifetime::Current)).await, Phase::Staging);
}

#[tokio::test]
async fn what_does_not_verify_is_untrusted_and_says_why() {
    let stand = Stand::new();
    let not_among = "its issuer is not among them";
    let cases = [
        (self_signed(NAME), format!("production and staging roots: {not_among}")),
        (stand.production.issue(&[NAME], Lifetime::Past), "production and staging roots: it has expired".into()),
        (
            stand.staging.issue(&["other.example"], Lifetime::Current),
            format!("production roots: {not_among}; staging roots: it is for another name"),
        ),
    ];
    for (leaf, reason) in cases {
        assert_eq!(phase(&stand.roots, leaf).await, untrusted(&reason));
    }
}

#[tokio::test]
async fn without_staging_roots_nothing_counts_as_staging() {
    let stand = Stand::new();
    let leaf = stand.staging.issue(&[NAME], Lifetime::Current);
    let reason = "production roots: its issuer is not among them; staging roots: there are none: set `acme.staging.roots`; it came alone, so its \
                  intermediate certificates may lack";
    assert_eq!(phase(&stand.without_staging(), leaf).await, untrusted(reason));
}

#[tokio::test]
async fn traefiks_default_certificate_is_named() {
    let Phase::Untrusted(reason) = phase(&Stand::new().roots, self_signed("TRAEFIK DEFAULT CERT")).await else { panic!() };
    assert!(reason.contains("no TLS secret matches this name yet"), "{reason}");
}

#[tokio::test]
async fn a_chain_without_its_key_is_not_believed() {
    let stand = Stand::new();
    let leaf = stand.production.issue(&[NAME], Lifetime::Current).with_key_of(self_signed(NAME));
    let Phase::Untrusted(reason) = phase(&stand.roots, leaf).await else { panic!() };
    assert!(reason.starts_with("the TLS handshake breaks off: "), "{reason}");
}

#[tokio::test]
async fn the_leaf_is_read_even_if_it_is_refused() {
    let stand = Stand::new();
    let leaf = stand.production.issue(&[NAME, "www.shop.example"], Lifetime::Past);
    let served = look(&stand.roots, NAME, serve_tls(leaf, String::new()).await).await.unwrap();
    assert_eq!(served.subject, "CN=shop.example");
    assert!(served.issuer.contains("CN=production root"), "{}", served.issuer);
    assert_eq!(served.key, "ECDSA 256");
    assert_eq!(served.names, ["shop.example", "www.shop.example"]);
    assert_eq!((served.not_before, served.not_after), (1_577_836_800, 1_580_515_200));
    assert_eq!(served.sha256.len(), 64);
}

#[tokio::test]
async fn no_certificate_is_unreadable() {
    let stand = Stand::new();
    let refused = look(&stand.roots, NAME, closed().await).await.unwrap_err();
    assert!(refused.starts_with("refused"), "{refused}");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let hang_up = async { drop(listener.accept().await.unwrap()) };
    let (seen, ()) = tokio::join!(look(&stand.roots, NAME, address), hang_up);
    assert!(seen.as_ref().unwrap_err().starts_with("TLS handshake: "), "{seen:?}");
}

#[tokio::test]
async fn a_site_s_own_roots_are_believed_and_no_others() {
    let stand = Stand::new();
    let pem = std::fs::read_to_string(stand.staging.file.path()).unwrap();
    let own = Arc::new(Roots::only(&pem).unwrap());
    assert_eq!(phase(&own, stand.staging.issue(&[NAME], Lifetime::Current)).await, Phase::Production);
    let reason = "the site's own roots: its issuer is not among them; it came alone, so its intermediate certificates may lack";
    assert_eq!(phase(&own, stand.production.issue(&[NAME], Lifetime::Current)).await, untrusted(reason));
    assert!(Roots::only("no root at all").is_err());
}
