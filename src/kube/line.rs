//! The way to the API server: a Unix socket that SSH forwards, TLS on top.

use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::{IpAddr, Ipv4Addr, ServerName};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// How long dialling and the handshake may take together.
const DEADLINE: Duration = Duration::from_secs(10);

/// What is spoken over a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Many requests side by side.
    Http2,
    /// What can be upgraded.
    Http1,
}

/// Dials the forwarded socket, whatever address is asked for.
#[derive(Clone)]
pub struct Dial {
    protocol: Protocol,
    socket: PathBuf,
    /// Taken by the first who dials.
    opened: Arc<Mutex<Option<UnixStream>>>,
    tls: TlsConnector,
}

impl Dial {
    /// `opened` leads through the socket already.
    pub fn new(socket: &Path, opened: Option<UnixStream>, mut tls: ClientConfig, protocol: Protocol) -> Self {
        tls.alpn_protocols = match protocol {
            Protocol::Http2 => vec![b"h2".to_vec()],
            Protocol::Http1 => vec![b"http/1.1".to_vec()],
        };
        let opened = Arc::new(Mutex::new(opened));
        Self { protocol, socket: socket.to_owned(), opened, tls: TlsConnector::from(Arc::new(tls)) }
    }
}

impl tower::Service<http::Uri> for Dial {
    type Response = TokioIo<Line>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<TokioIo<Line>>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: http::Uri) -> Self::Future {
        let Self { protocol, socket, opened, tls } = self.clone();
        let opened = opened.lock().unwrap_or_else(PoisonError::into_inner).take();
        Box::pin(async move {
            let dialled = async {
                let stream = match opened {
                    Some(stream) => stream,
                    None => UnixStream::connect(&socket).await?,
                };
                tls.connect(ServerName::IpAddress(IpAddr::V4(Ipv4Addr::from([127, 0, 0, 1]))), stream).await
            };
            let line = tokio::time::timeout(DEADLINE, dialled).await??;
            Ok(TokioIo::new(Line { line, protocol }))
        })
    }
}

/// A connection that says of itself what it speaks.
pub struct Line {
    line: TlsStream<UnixStream>,
    protocol: Protocol,
}

impl Connection for Line {
    fn connected(&self) -> Connected {
        match self.protocol {
            Protocol::Http2 => Connected::new().negotiated_h2(),
            Protocol::Http1 => Connected::new(),
        }
    }
}

impl AsyncRead for Line {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.line).poll_read(context, buffer)
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.line).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.line).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.line).poll_shutdown(context)
    }
}
