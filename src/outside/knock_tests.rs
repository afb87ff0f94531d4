use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

use tokio::net::{TcpListener, TcpSocket};

use super::*;
use crate::model::OutsideQuestion;
use crate::outside::stand::closed;
use crate::outside::{Outside, Trust};

/// On loopback, and not the address that connections to it come from.
const OTHER: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

/// A port whose queue is full, where Linux drops what comes; as long as the lines live.
async fn silent() -> (SocketAddr, TcpListener, Vec<TcpStream>) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(OTHER, 0)).unwrap();
    let listener = socket.listen(0).unwrap();
    let at = listener.local_addr().unwrap();
    let mut lines = Vec::new();
    while let Ok(line) = tokio::time::timeout(Duration::from_millis(100), TcpStream::connect(at)).await {
        lines.push(line.unwrap());
    }
    (at, listener, lines)
}

#[tokio::test]
async fn a_port_is_open_or_closed() {
    let listener = TcpListener::bind((OTHER, 0)).await.unwrap();
    assert_eq!(knock(listener.local_addr().unwrap()).await, Answer::Present(Reply::Open));
    assert_eq!(knock(closed().await).await, Answer::Absent);
}

#[tokio::test]
async fn ones_own_machine_says_nothing_of_the_outside() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let seen = knock(listener.local_addr().unwrap()).await;
    assert_eq!(seen, Answer::Unreadable("127.0.0.1 is this machine's own address".into()));
}

#[tokio::test]
async fn silences_are_met_together_and_end() {
    let (at, _listener, _lines) = silent().await;
    let outside = Outside::new(&Trust::default()).unwrap();
    // More than the other questions that may go side by side.
    let knocks = vec![OutsideQuestion::Knock { address: at.ip(), port: at.port() }; 40];
    let begun = Instant::now();
    let answers = outside.ask(knocks).await;
    assert!(answers.iter().all(|(_, answer)| *answer == Answer::Absent), "{answers:?}");
    assert!((PATIENCE..PATIENCE * 2).contains(&begun.elapsed()), "{:?}", begun.elapsed());
}
