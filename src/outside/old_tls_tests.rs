use std::io::Write as _;
use std::net::Ipv4Addr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rcgen::KeyPair;
use tempfile::TempDir;

use crate::outside::stand::{Lifetime, Stand, closed, serve_tls};

use super::*;

const NAME: &str = "shop.example";

/// A real server that takes the versions that `flags` name.
struct Peer {
    process: Child,
    at: SocketAddr,
    _folder: TempDir,
}

impl Peer {
    async fn start(flags: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::new(vec![NAME.to_owned()]).unwrap().self_signed(&key).unwrap();
        let path = folder.path().join("server.pem");
        write!(std::fs::File::create(&path).unwrap(), "{}{}", certificate.pem(), key.serialize_pem()).unwrap();
        let at = closed().await;
        let mut openssl = Command::new("openssl");
        openssl.args(["s_server", "-quiet", "-cipher", "ALL:@SECLEVEL=0", "-accept", &at.to_string(), "-cert"]).arg(&path).args(flags);
        openssl.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let process = openssl.spawn().unwrap_or_else(|error| panic!("openssl (apt-get install openssl): {error}"));
        let peer = Self { process, at, _folder: folder };
        let listens = async {
            while TcpStream::connect(at).await.is_err() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), listens).await.unwrap();
        peer
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

async fn told_of(flags: &[&str]) -> Answer {
    let peer = Peer::start(flags).await;
    taken(NAME, peer.at).await
}

fn text(text: &str) -> Answer {
    Answer::Present(Reply::Text(text.into()))
}

#[tokio::test]
async fn a_real_server_takes_what_it_was_told_to_take() {
    assert_eq!(told_of(&["-tls1"]).await, text("TLS 1.0"));
    assert_eq!(told_of(&["-tls1_1"]).await, text("TLS 1.1"));
    assert_eq!(told_of(&["-no_tls1_3"]).await, text("TLS 1.0 and TLS 1.1"));
    assert_eq!(told_of(&["-tls1_2"]).await, Answer::Absent);
    assert_eq!(told_of(&["-tls1_3"]).await, Answer::Absent);
}

#[tokio::test]
async fn who_refuses_or_says_something_else_takes_none() {
    let leaf = Stand::new().production.issue(&[NAME], Lifetime::Current);
    assert_eq!(taken(NAME, serve_tls(leaf, String::new()).await).await, Answer::Absent);
    let Answer::Unreadable(why) = taken(NAME, closed().await).await else { panic!() };
    assert!(why.starts_with("refused"), "{why}");
    assert_eq!(taken(NAME, SocketAddr::from((Ipv4Addr::LOCALHOST, hang_up().await))).await, Answer::Absent);
}

/// Hangs up on everybody.
async fn hang_up() -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    port
}
