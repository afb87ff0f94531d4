//! Ports of a host's loopback, and whatever else it reaches, reached from here.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
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
        self.forward(SocketAddr::from((Ipv4Addr::LOCALHOST, API_PORT))).await
    }

    /// A Unix socket here that leads where the host connects to, for as long as `self` lives; the same one whenever asked. Whether sshd
    /// forwards at all ([`Self::forwards`]), and whether anybody listens there, shows only when the socket is used.
    ///
    /// # Errors
    /// When ssh can't make the socket.
    pub async fn forward(&self, to: SocketAddr) -> Result<PathBuf, Failure> {
        let mut ways = self.ways.lock().await;
        if let Some(path) = ways.get(&to) {
            return Ok(path.clone());
        }
        // A socket's path must be short.
        let path = self.folder.path().join(ways.len().to_string());
        let made = match &self.line {
            Line::Ssh(session) => open(session, Socket::from(path.clone()), to).await,
            Line::Local => relay(&path, to),
        };
        made.map_err(|error| error.told(&self.id, format!("forward {to} of {}", self.login)))?;
        ways.insert(to, path.clone());
        Ok(path)
    }

    /// Whether sshd forwards ports, as far as its settings tell.
    ///
    /// # Errors
    /// It does not, or the host can't be asked.
    pub async fn forwards(&self) -> Result<(), Failure> {
        let failed = |error: Error| error.told(&self.id, format!("forward ports of {}", self.login));
        let answers = self.answers(&[HostQuestion::Facts], |_, _| {}).await.map_err(failed)?;
        match answers.first() {
            Some(Answer::Present(Reply::Facts(facts))) if facts.forwarding == Some(false) => Err(failed(Error::Forwarding)),
            _ => Ok(()),
        }
    }

    /// A port of our own loopback that leads to the host's API server, for programs that speak TCP only. This machine needs no tunnel to itself.
    ///
    /// # Errors
    /// When the port here is taken, or sshd forwards no ports.
    pub async fn api_port(&self, here: u16) -> Result<(), Failure> {
        let Line::Ssh(session) = &self.line else { return Ok(()) };
        let tried = format!("forward our port {here} to port {API_PORT} of {}", self.login);
        self.forwards().await.map_err(|failure| Failure { tried: tried.clone(), ..failure })?;
        let opened = open(session, Socket::from((Ipv4Addr::LOCALHOST, here)), SocketAddr::from((Ipv4Addr::LOCALHOST, API_PORT))).await;
        // ssh says no more than that it could not.
        let taken = || TcpListener::bind((Ipv4Addr::LOCALHOST, here)).is_err();
        opened.map_err(|error| if taken() { Error::Taken(here) } else { error }.told(&self.id, tried))
    }
}

async fn open(session: &Session, here: Socket<'_>, there: SocketAddr) -> Result<(), Error> {
    within(session.request_port_forward(ForwardType::Local, here, Socket::from(there))).await
}

/// Without SSH in between the socket is a relay of ours.
fn relay(path: &std::path::Path, to: SocketAddr) -> Result<(), Error> {
    let listener = UnixListener::bind(path).map_err(|error| Error::here(&format!("listen on {}", path.display()), &error))?;
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            tokio::spawn(async move {
                if let Ok(mut far) = TcpStream::connect(to).await {
                    // Either side may hang up at any time.
                    let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                }
            });
        }
    });
    Ok(())
}
