//! What goes through a line, one task each way.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{Duration, Instant};

use super::{Fault, Shared};

/// Most bytes on their way at once, each way: 50 ms of 80 MB a second.
const QUEUE: usize = 4 << 20;
/// Most bytes that travel together.
const CHUNK: usize = 16 << 10;

/// Bytes on their way. None at all: the sender has ended.
struct Chunk {
    /// When they are there.
    due: Instant,
    bytes: Vec<u8>,
    /// Their room in the queue.
    _room: OwnedSemaphorePermit,
}

/// Which way.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Up,
    Down,
}

/// Carries until both sides have ended, or one broke.
pub(super) async fn both(client: &mut TcpStream, server: &mut TcpStream, shared: &Shared) {
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    // A broken end is seen by the other one as the end.
    let _ = tokio::try_join!(one(from_client, to_server, shared, Way::Up), one(from_server, to_client, shared, Way::Down));
}

async fn one(from: ReadHalf<'_>, to: WriteHalf<'_>, shared: &Shared, way: Way) -> io::Result<()> {
    let (queue, arriving) = mpsc::unbounded_channel();
    tokio::try_join!(depart(from, queue, shared), arrive(to, arriving, shared, way)).map(|_| ())
}

async fn depart(mut from: ReadHalf<'_>, queue: mpsc::UnboundedSender<Chunk>, shared: &Shared) -> io::Result<()> {
    let room = Arc::new(Semaphore::new(QUEUE));
    let mut buffer = vec![0; CHUNK];
    loop {
        let read = from.read(&mut buffer).await?;
        let due = Instant::now() + shared.state.borrow().line.rtt / 2;
        // Never more than CHUNK.
        let permits = u32::try_from(read).unwrap_or(u32::MAX);
        let room = Arc::clone(&room).acquire_many_owned(permits).await.map_err(io::Error::other)?;
        let sent = queue.send(Chunk { due, bytes: buffer[..read].to_vec(), _room: room });
        if read == 0 || sent.is_err() {
            return Ok(());
        }
    }
}

async fn arrive(mut to: WriteHalf<'_>, mut queue: mpsc::UnboundedReceiver<Chunk>, shared: &Shared, way: Way) -> io::Result<()> {
    let mut free = Instant::now();
    while let Some(Chunk { due, mut bytes, _room }) = queue.recv().await {
        tokio::time::sleep_until(due).await;
        let rate = shared.state.borrow().line.rate;
        if let Some(rate) = rate {
            free = free.max(due) + Duration::from_secs_f64(bytes.len() as f64 / rate as f64);
            tokio::time::sleep_until(free).await;
        }
        heard(shared).await?;
        if bytes.is_empty() {
            return to.shutdown().await;
        }
        if way == Way::Down {
            to.write_all(&bytes).await?;
            continue;
        }
        let mut rest = &mut bytes[..];
        if let Some((before, fault)) = shared.due(rest.len() as u64) {
            // Within the chunk, so it fits.
            let (good, bad) = rest.split_at_mut(usize::try_from(before).unwrap_or(0));
            up(&mut to, good, shared).await?;
            match fault {
                Fault::Flip => bad[0] ^= 1,
                Fault::Silence | Fault::Cut => shared.strike(fault),
            }
            if fault == Fault::Cut {
                // Whoever carries this sees the cut.
                return std::future::pending().await;
            }
            heard(shared).await?;
            rest = bad;
        }
        up(&mut to, rest, shared).await?;
    }
    Ok(())
}

/// To the server, and counted.
async fn up(to: &mut WriteHalf<'_>, bytes: &[u8], shared: &Shared) -> io::Result<()> {
    to.write_all(bytes).await?;
    shared.passed.fetch_add(bytes.len() as u64, Ordering::SeqCst);
    Ok(())
}

/// Waits for the end of a silence. Whoever is cut meanwhile is dropped here.
async fn heard(shared: &Shared) -> io::Result<()> {
    let mut state = shared.state.subscribe();
    let heard = state.wait_for(|state| !state.silent).await;
    heard.map(drop).map_err(io::Error::other)
}
