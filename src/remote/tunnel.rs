//! Ports of a host's loopback, reached from here.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use openssh::{ForwardType, Session, Socket};
use tokio::net::{TcpStream, UnixListener};

use super::Remote;
use super::error::Error;
use super::line::{Line, within};
use crate::model::{API_PORT, Answer, Failure, HostQuestion, Reply};

impl Remote {
    /// A Unix socket here that leads to the host's API server, which need not run yet.
    ///
    /// # Errors
    /// When ssh can't make the socket.
    pub async fn api_socket(&self) -> Result<PathBuf, Failure> {
        self.forward(API_PORT).await
    }

    /// A Unix socket here that leads to a TCP port of the host's loopback, for as long as `self` lives; the same one whenever asked.
    /// Whether sshd forwards at all (`HostFacts::forwarding`) shows only when the socket is used.
    ///
    /// # Errors
    /// When ssh can't make the socket.
    pub async fn forward(&self, port: u16) -> Result<PathBuf, Failure> {
        let path = self.folder.path().join(port.to_string());
        if path.exists() {
            return Ok(path);
        }
        let made = match &self.line {
            Line::Ssh(session) => open(session, Socket::from(path.clone()), port).await,
            Line::Local => relay(&path, port),
        };
        made.map_err(|error| error.told(&self.id, format!("forward port {port} of {}", self.login)))?;
        Ok(path)
    }

    /// A port of our own loopback that leads to the host's API server, for programs that speak TCP only. This machine needs no tunnel to itself.
    ///
    /// # Errors
    /// When the port here is taken, or sshd forwards no ports.
    pub async fn api_port(&self, here: u16) -> Result<(), Failure> {
        let Line::Ssh(session) = &self.line else { return Ok(()) };
        let failed = |error: Error| error.told(&self.id, format!("forward our port {here} to port {API_PORT} of {}", self.login));
        let answers = self.answers(&[HostQuestion::Facts], |_, _| {}).await.map_err(failed)?;
        if let Some(Answer::Present(Reply::Facts(facts))) = answers.first()
            && facts.forwarding == Some(false)
        {
            return Err(failed(Error::Forwarding));
        }
        open(session, Socket::from((Ipv4Addr::LOCALHOST, here)), API_PORT).await.map_err(failed)
    }
}

async fn open(session: &Session, here: Socket<'_>, port: u16) -> Result<(), Error> {
    let there = Socket::from((Ipv4Addr::LOCALHOST, port));
    within(session.request_port_forward(ForwardType::Local, here, there)).await
}

/// Without SSH in between the socket is a relay of ours.
fn relay(path: &std::path::Path, port: u16) -> Result<(), Error> {
    let listener = UnixListener::bind(path).map_err(|error| Error::here(&format!("listen on {}", path.display()), &error))?;
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            tokio::spawn(async move {
                if let Ok(mut far) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await {
                    // Either side may hang up at any time.
                    let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                }
            });
        }
    });
    Ok(())
}
