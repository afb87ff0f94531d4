//! A line between a client and a server on this machine, as long, slow and bad as wanted. It runs in the network of the thread that
//! starts it, so `rig::within` puts one into the rig.

mod pump;

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How a line is when it starts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Line {
    /// There and back. A new connection waits one and a half of it before the server is dialled, as TCP's handshake would.
    pub rtt: Duration,
    /// Bytes a second, each way and connection; none: as fast as it goes.
    pub rate: Option<u64>,
}

/// What can happen to a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Both ends of every connection are reset. New ones are let through.
    Cut,
    /// Nothing gets through any more, and nobody is told, until [`Relay::speak`].
    Silence,
    /// One bit of the next byte is flipped.
    Flip,
}

/// A running relay; dropping it resets what it carries.
pub struct Relay {
    /// Where clients connect.
    pub address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// What the connections of a relay look at.
struct Shared {
    state: watch::Sender<State>,
    /// Bytes that still go to the server before the fault.
    fault: Mutex<Option<(u64, Fault)>>,
    passed: AtomicU64,
}

#[derive(Clone, Copy)]
struct State {
    line: Line,
    silent: bool,
    /// How often it was cut.
    cuts: u32,
    over: bool,
}

impl Relay {
    /// Listens on `listen` (port 0: any) and carries everything to `server`.
    ///
    /// # Errors
    /// `listen` is taken.
    pub fn start(listen: SocketAddr, server: SocketAddr, line: Line) -> io::Result<Self> {
        let state = watch::Sender::new(State { line, silent: false, cuts: 0, over: false });
        let shared = Arc::new(Shared { state, fault: Mutex::new(None), passed: AtomicU64::new(0) });
        let (listening, listens) = mpsc::channel();
        let carried = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("relay".into()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            // Who started it hears of a failure by the channel, which then is closed without a word.
            let Ok(runtime) = runtime.inspect_err(|error| drop(listening.send(Err(io::Error::other(error.to_string()))))) else { return };
            runtime.block_on(serve(listen, server, &carried, &listening));
        })?;
        let address = listens.recv().map_err(|_| io::Error::other("the relay ended at once"))??;
        Ok(Self { address, shared, thread: Some(thread) })
    }

    /// Does it now.
    pub fn strike(&self, fault: Fault) {
        self.shared.strike(fault);
    }

    /// Does it once as many more bytes have gone to the server.
    pub fn strike_after(&self, bytes: u64, fault: Fault) {
        self.shared.await_byte(bytes, fault);
    }

    /// Ends a silence: what was held back goes on.
    pub fn speak(&self) {
        self.shared.state.send_modify(|state| state.silent = false);
    }

    /// Another rate from now on.
    pub fn pace(&self, rate: Option<u64>) {
        self.shared.state.send_modify(|state| state.line.rate = rate);
    }

    /// Bytes that have gone to the server.
    pub fn passed(&self) -> u64 {
        self.shared.passed.load(Ordering::SeqCst)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.shared.state.send_modify(|state| state.over = true);
        if let Some(thread) = self.thread.take() {
            // A panic in there has been printed already.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn strike(&self, fault: Fault) {
        match fault {
            Fault::Cut => self.state.send_modify(|state| state.cuts += 1),
            Fault::Silence => self.state.send_modify(|state| state.silent = true),
            Fault::Flip => self.await_byte(0, fault),
        }
    }

    fn await_byte(&self, bytes: u64, fault: Fault) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some((bytes, fault));
    }

    /// Counts `bytes` that are about to go to the server. A fault among them is due, after that many of them.
    fn due(&self, bytes: u64) -> Option<(u64, Fault)> {
        let mut slot = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        let (left, fault) = (*slot)?;
        if left >= bytes {
            *slot = Some((left - bytes, fault));
            return None;
        }
        slot.take()
    }
}

async fn serve(listen: SocketAddr, server: SocketAddr, shared: &Arc<Shared>, listening: &mpsc::Sender<io::Result<SocketAddr>>) {
    let bound = async {
        let listener = TcpListener::bind(listen).await?;
        Ok((listener.local_addr()?, listener))
    };
    let listener = match bound.await {
        Ok((address, listener)) => {
            let _ = listening.send(Ok(address));
            listener
        }
        Err(error) => return drop(listening.send(Err(error))),
    };
    let mut state = shared.state.subscribe();
    let mut connections = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            Ok((client, _)) = listener.accept() => drop(connections.spawn(carry(client, server, Arc::clone(shared)))),
            Some(_) = connections.join_next() => {}
            _ = state.wait_for(|state| state.over) => break,
        }
    }
    // Each of them sees the same, and resets both of its ends.
    connections.join_all().await;
}

/// One connection from its handshake to its end.
async fn carry(mut client: TcpStream, server: SocketAddr, shared: Arc<Shared>) {
    let mut state = shared.state.subscribe();
    let State { line, cuts, .. } = *state.borrow_and_update();
    let carried = async {
        tokio::time::sleep(line.rtt * 3 / 2).await;
        let server = TcpStream::connect(server).await?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        Ok(server)
    };
    let reset = state.wait_for(|state| state.cuts != cuts || state.over);
    tokio::pin!(reset);
    let server: io::Result<TcpStream> = tokio::select! {
        dialled = carried => dialled,
        _ = &mut reset => Err(io::ErrorKind::ConnectionReset.into()),
    };
    let Ok(mut server) = server else {
        // Nobody there, or cut already.
        let _ = client.set_zero_linger();
        return;
    };
    tokio::select! {
        () = pump::both(&mut client, &mut server, &shared) => {}
        _ = &mut reset => {
            // A socket that may not linger ends with a reset.
            let _ = (client.set_zero_linger(), server.set_zero_linger());
        }
    }
}

#[cfg(test)]
mod tests;
