use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use super::{Fault, Line, Relay};

/// A server that says `hi`, then gives back what it gets.
fn echo() -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || {
                let mut back = stream.try_clone().unwrap();
                let _ = back.write_all(b"hi").and_then(|()| std::io::copy(&mut stream, &mut back));
                let _ = back.shutdown(Shutdown::Write);
            });
        }
    });
    address
}

fn relay(line: Line) -> Relay {
    Relay::start("127.0.0.1:0".parse().unwrap(), echo(), line).unwrap()
}

/// A connection that has been greeted.
fn client(relay: &Relay) -> TcpStream {
    let mut client = TcpStream::connect(relay.address).unwrap();
    client.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut hi = [0; 2];
    client.read_exact(&mut hi).unwrap();
    assert_eq!(&hi, b"hi");
    client
}

#[test]
fn the_handshake_is_charged_and_so_is_each_way() {
    let relay = relay(Line { rtt: Duration::from_secs(1), rate: None });
    let begun = Instant::now();
    let mut client = client(&relay);
    let greeted = begun.elapsed();
    let begun = Instant::now();
    client.write_all(b"x").unwrap();
    client.read_exact(&mut [0]).unwrap();
    let answered = begun.elapsed();
    // A busy machine may be late, but nothing is ever early.
    assert!(greeted >= Duration::from_secs(2) && greeted < Duration::from_secs(3), "{greeted:?}");
    assert!(answered >= Duration::from_secs(1) && answered < Duration::from_secs(2), "{answered:?}");
}

#[test]
fn all_bytes_arrive_at_the_rate_and_the_end_does_too() {
    let relay = relay(Line { rtt: Duration::from_millis(10), rate: Some(1) });
    relay.pace(Some(2_000_000));
    let mut client = client(&relay);
    let begun = Instant::now();
    let sent: Vec<u8> = (0..600_000_u32).map(|n| n.to_le_bytes()[1]).collect();
    let mut sending = client.try_clone().unwrap();
    let bytes = sent.clone();
    let sender = std::thread::spawn(move || sending.write_all(&bytes).and_then(|()| sending.shutdown(Shutdown::Write)));
    let mut came = Vec::new();
    client.read_to_end(&mut came).unwrap();
    sender.join().unwrap().unwrap();
    let took = begun.elapsed();
    assert!(came == sent && relay.passed() == 600_000);
    assert!(took >= Duration::from_millis(290) && took < Duration::from_secs(3), "{took:?}");
}

#[test]
fn a_cut_resets_both_ends_and_lets_the_next_one_in() {
    let relay = relay(Line::default());
    let mut first = client(&relay);
    relay.strike_after(1000, Fault::Cut);
    first.write_all(&[7; 1000]).unwrap();
    first.read_exact(&mut [0; 1000]).unwrap();
    first.write_all(&[7; 1]).unwrap();
    assert_eq!(first.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert_eq!(relay.passed(), 1000);
    let mut second = client(&relay);
    relay.strike(Fault::Cut);
    assert_eq!(second.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[test]
fn silence_holds_back_and_loses_nothing() {
    let relay = relay(Line::default());
    let mut client = client(&relay);
    relay.strike(Fault::Silence);
    client.write_all(b"late").unwrap();
    client.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    assert_eq!(client.read(&mut [0; 4]).unwrap_err().kind(), ErrorKind::WouldBlock);
    relay.speak();
    client.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut late = [0; 4];
    client.read_exact(&mut late).unwrap();
    assert_eq!(&late, b"late");
}

#[test]
fn one_bit_is_flipped_where_it_was_ordered() {
    let relay = relay(Line::default());
    let mut client = client(&relay);
    relay.strike_after(2, Fault::Flip);
    client.write_all(&[0; 5]).unwrap();
    let mut came = [9; 5];
    client.read_exact(&mut came).unwrap();
    assert_eq!(came, [0, 0, 1, 0, 0]);
}

#[test]
fn its_end_ends_what_it_carries_and_gives_the_port_back() {
    let relay = relay(Line::default());
    let address = relay.address;
    let mut client = client(&relay);
    drop(relay);
    assert_eq!(client.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert!(TcpStream::connect(address).is_err());
}
