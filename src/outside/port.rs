//! Whether a TCP port opens.

use std::io::ErrorKind;
use std::net::SocketAddr;

use tokio::net::TcpStream;

use crate::model::{Answer, Reply};

/// Opens a connection and closes it.
pub async fn port(address: SocketAddr) -> Answer {
    match TcpStream::connect(address).await {
        Ok(_) => Answer::Present(Reply::Text("open".into())),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => Answer::Absent,
        Err(error) => Answer::Unreadable(error.to_string()),
    }
}

#[cfg(test)]
#[path = "port_tests.rs"]
mod tests;
