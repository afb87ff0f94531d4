use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::UnixListener;

use crate::model::{Trusted, Visit};
use crate::outside::dns::Resolvers;
use crate::outside::stand::{Lifetime, Stand, closed, self_signed, serve_plain, serve_tls};
use crate::outside::{HAIRPIN, Outside};

use super::*;

fn answer(head: &str, body: &str) -> String {
    format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}

async fn over_tls(roots: &Arc<Roots>, at: SocketAddr) -> Result<Exchange, String> {
    exchange(roots, &format!("https://shop.example:{}/healthz", at.port()), at.ip(), None).await
}

#[tokio::test]
async fn chains_of_both_phases_are_taken() {
    let stand = Stand::new();
    for authority in [&stand.production, &stand.staging] {
        let leaf = authority.issue(&["shop.example"], Lifetime::Current);
        let at = serve_tls(leaf, answer("200 OK\r\nServer: nginx\r\nStrict-Transport-Security: max-age=300", "<title>Shop</title>")).await;
        let expected = Exchange {
            status: 200,
            server: "nginx".into(),
            hsts: "max-age=300".into(),
            body: "<title>Shop</title>".into(),
            ..Exchange::default()
        };
        assert_eq!(over_tls(&stand.roots, at).await, Ok(expected));
    }
}

#[tokio::test]
async fn an_untrusted_chain_is_unreadable() {
    let stand = Stand::new();
    let others = [self_signed("shop.example"), stand.production.issue(&["shop.example"], Lifetime::Past)];
    for leaf in others {
        let seen = over_tls(&stand.roots, serve_tls(leaf, answer("200 OK", "")).await).await.unwrap_err();
        assert!(seen.contains("invalid peer certificate"), "{seen}");
    }
}

#[tokio::test]
async fn a_redirect_is_shown_not_followed() {
    let at = serve_plain(answer("301 Moved Permanently\r\nLocation: https://shop.example/a", "")).await;
    let seen = exchange(&Stand::new().roots, &format!("http://www.shop.example:{}/a", at.port()), at.ip(), None).await.unwrap();
    assert_eq!((seen.status, seen.location.as_str()), (301, "https://shop.example/a"));
}

#[tokio::test]
async fn a_body_is_read_up_to_64_kib() {
    let at = serve_plain(answer("200 OK", &"x".repeat(BODY + 10_000))).await;
    let seen = exchange(&Stand::new().roots, &format!("http://shop.example:{}/", at.port()), at.ip(), None).await.unwrap();
    assert_eq!(seen.body.len(), BODY);
}

#[tokio::test]
async fn a_closed_port_is_told_as_refused() {
    let at = closed().await;
    let seen = exchange(&Stand::new().roots, &format!("http://shop.example:{}/", at.port()), at.ip(), None).await.unwrap_err();
    assert!(seen.starts_with("refused"), "{seen}");
}

#[tokio::test]
async fn a_line_is_taken_as_it_leads() {
    let stand = Stand::new();
    let at = serve_tls(stand.production.issue(&["shop.example"], Lifetime::Current), answer("200 OK", "<title>Shop</title>")).await;
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("line");
    let listener = tokio::net::UnixListener::bind(&socket).unwrap();
    tokio::spawn(async move {
        let (mut here, _) = listener.accept().await.unwrap();
        let mut there = tokio::net::TcpStream::connect(at).await.unwrap();
        tokio::io::copy_bidirectional(&mut here, &mut there).await
    });
    // Nobody listens at that address: it is the line that is taken.
    let seen = exchange(&stand.roots, "https://shop.example/", closed().await.ip(), Some(&socket)).await.unwrap();
    assert_eq!((seen.status, seen.body.as_str()), (200, "<title>Shop</title>"));
}

#[tokio::test]
async fn a_line_that_ends_at_once_leads_to_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("line");
    let listener = tokio::net::UnixListener::bind(&socket).unwrap();
    let hang_up = async { drop(listener.accept().await.unwrap()) };
    let (roots, at) = (Stand::new().roots, closed().await.ip());
    let (seen, ()) = tokio::join!(get(&roots, "http://shop.example/", at, Some(&socket)), hang_up);
    assert_eq!(seen, Answer::Absent);
}

#[tokio::test]
async fn a_slow_page_is_waited_for_from_a_host_as_from_here() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("socket");
    let listener = UnixListener::bind(&socket).unwrap();
    tokio::spawn(async move {
        let (mut line, _) = listener.accept().await.unwrap();
        tokio::time::sleep(HAIRPIN + Duration::from_millis(500)).await;
        line.write_all(answer("200 OK", "").as_bytes()).await.unwrap();
    });
    let outside = Outside { roots: Stand::new().roots, resolvers: Resolvers::new() };
    let visit = Visit::Get { url: "http://shop.example/".into(), address: Ipv4Addr::LOCALHOST.into(), trusted: Trusted::World };
    let seen = outside.through(&socket, &visit).await;
    assert!(matches!(seen, Answer::Present(_)), "{seen:?}");
}
