//! Versions of TLS that nobody should speak any more (RFC 8996). Our own library speaks none of them: of a handshake only the first message is
//! written here, and of the answer only its version is read.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::model::{Answer, Reply};

use super::refusal::told;

/// Each with its number on the wire.
const OLD: [([u8; 2], &str); 2] = [([3, 1], "TLS 1.0"), ([3, 2], "TLS 1.1")];
/// What servers of those days had: ECDHE with ECDSA or RSA, then RSA alone; AES with CBC and SHA-1, then 3DES.
const CIPHERS: [u16; 7] = [0xc009, 0xc00a, 0xc013, 0xc014, 0x002f, 0x0035, 0x000a];
/// A handshake's record, and in it the server's first message (RFC 4346, 6.2.1 and 7.4).
const HANDSHAKE: u8 = 22;
const SERVER_HELLO: u8 = 2;

/// Which of them are taken. Absent: none is.
pub async fn taken(name: &str, at: SocketAddr) -> Answer {
    let mut taken = Vec::new();
    for (version, word) in OLD {
        match takes(name, at, version).await {
            Ok(true) => taken.push(word),
            Ok(false) => {}
            Err(error) => return Answer::Unreadable(told(&error)),
        }
    }
    if taken.is_empty() { Answer::Absent } else { Answer::Present(Reply::Text(taken.join(" and "))) }
}

/// Whether the server goes on with a client that has no later version.
async fn takes(name: &str, at: SocketAddr, version: [u8; 2]) -> io::Result<bool> {
    let mut line = TcpStream::connect(at).await?;
    line.write_all(&hello(name, version)).await?;
    // Type, version and length of the record; type and length of the message; its version.
    let mut answer = [0; 11];
    match line.read_exact(&mut answer).await {
        Ok(_) => Ok(answer[0] == HANDSHAKE && answer[5] == SERVER_HELLO && answer[9..] == version),
        // An alert is shorter than that, and some hang up without a word.
        Err(error) if matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset) => Ok(false),
        Err(error) => Err(error),
    }
}

/// A client's first message (RFC 4346, 7.4.1.2).
fn hello(name: &str, version: [u8; 2]) -> Vec<u8> {
    let ciphers: Vec<u8> = CIPHERS.iter().flat_map(|cipher| cipher.to_be_bytes()).collect();
    let server_name = sized(&[&[0], sized(name.as_bytes()).as_slice()].concat());
    let extensions = [
        extension(0, &server_name),
        // Curves: P-256, P-384, P-521; their points uncompressed; no renegotiation.
        extension(10, &sized(&[0, 23, 0, 24, 0, 25])),
        extension(11, &[1, 0]),
        extension(0xff01, &[0]),
    ]
    .concat();
    // What is random is of no use in a handshake that goes no further.
    let body = [&version[..], &[0x42; 32], &[0], &sized(&ciphers), &[1, 0], &sized(&extensions)].concat();
    let message = [&[1, 0], sized(&body).as_slice()].concat();
    [&[HANDSHAKE, 3, 1], sized(&message).as_slice()].concat()
}

fn extension(kind: u16, content: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes(), sized(content).as_slice()].concat()
}

/// Behind its length in two bytes. Everything here is short: a name has 253 at most.
fn sized(content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap_or(u16::MAX);
    [&length.to_be_bytes(), content].concat()
}

#[cfg(test)]
#[path = "old_tls_tests.rs"]
mod tests;
