//! Whether a port answers at all.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;

use crate::model::{Answer, Reply};

use super::refusal::told;

/// A first packet that was lost is sent again after a second. Whoever drops packets costs all of it.
pub const PATIENCE: Duration = Duration::from_millis(1500);

/// Connects and hangs up.
pub async fn knock(at: SocketAddr) -> Answer {
    match tokio::time::timeout(PATIENCE, TcpStream::connect(at)).await {
        // What comes from the machine itself meets no firewall.
        Ok(Ok(line)) if line.local_addr().is_ok_and(|own| own.ip() == at.ip()) => {
            Answer::Unreadable(format!("{} is this machine's own address", at.ip()))
        }
        Ok(Ok(_)) => Answer::Present(Reply::Open),
        Ok(Err(error)) => match error.kind() {
            // A firewall that rejects says either.
            ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset | ErrorKind::HostUnreachable | ErrorKind::TimedOut => Answer::Absent,
            _ => Answer::Unreadable(told(&error)),
        },
        Err(_) => Answer::Absent,
    }
}

#[cfg(test)]
#[path = "knock_tests.rs"]
mod tests;
