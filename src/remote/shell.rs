//! The long-lived privileged shell of a host: scripts in, answers out, one after the other over one session.

use std::time::Duration;

use rand::RngCore as _;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use zeroize::Zeroizing;

use super::error::Error;
use super::frame::{self, CAP, Garbled, Output};
use super::line::{Input, Line, Running, Stream};
use super::program::{Ascent, WORKER, as_root};
use super::refusal::RootRefusal;
use crate::model::Secret;

/// For login shell, sudo and worker to come up.
const START: Duration = Duration::from_secs(30);
/// For one chunk of a payload to go out.
const STALL: Duration = Duration::from_secs(60);
/// Bytes of a payload that go out at a time.
const CHUNK: usize = 128 << 10;
/// Longest line that can be an answer: base64 of `CAP`, the complaint, the nonces.
const LONGEST: u64 = (CAP as u64 / 3 + 64) * 4 + 8192;

/// A running worker.
pub(super) struct Shell {
    stdin: Input,
    stdout: BufReader<Stream>,
    nonce: String,
    /// The worker's process group.
    pub(super) group: u32,
    /// Whether it came up through sudo.
    pub(super) sudo: bool,
    /// The session ends with its handle.
    _running: Running,
}

/// What goes along with a script.
pub(super) struct Payload<'a> {
    pub(super) from: &'a mut (dyn AsyncRead + Send + Unpin),
    /// Exactly as many bytes are sent.
    pub(super) size: u64,
    /// Told (sent, in all).
    pub(super) sent: &'a (dyn Fn(u64, u64) + Send + Sync),
}

impl Shell {
    /// Starts a worker as root. A worker that does not come up is a matter of sudo; what it said tells which.
    pub(super) async fn start(line: &Line, ascent: Ascent, password: Option<&Secret>) -> Result<Self, Error> {
        let mut pipes = line.spawn(&as_root(WORKER, ascent)).await?;
        let nonce = nonce();
        // Sized at once, so that no copy of the password stays behind.
        let mut opening = Vec::with_capacity(password.map_or(0, |password| password.expose().len()) + nonce.len() + 2);
        if let Some(password) = password {
            opening.extend_from_slice(password.expose());
            opening.push(b'\n');
        }
        opening.extend_from_slice(nonce.as_bytes());
        opening.push(b'\n');
        let opening = Secret::new(opening);
        // A sudo that refuses closes its input at once; why, it says on stderr.
        let _ = pipes.stdin.write_all(opening.expose()).await;
        let complaint = tokio::spawn(listen(pipes.stderr));
        let mut stdout = BufReader::new(pipes.stdout);
        let mut noise = String::new();
        let hello = async {
            loop {
                let line = read_line(&mut stdout).await?;
                let line = String::from_utf8_lossy(&line);
                if let Some(hello) = line.strip_prefix(nonce.as_str()) {
                    let mut words = hello.split_whitespace();
                    let group = words.next().and_then(|word| word.parse().ok()).ok_or(Error::Garbled(Garbled::Form))?;
                    return Ok((group, words.next().is_some()));
                }
                if noise.len() < 4000 {
                    noise.push_str(&line);
                }
            }
        };
        match tokio::time::timeout(START, hello).await {
            Ok(Ok((group, sudo))) => Ok(Self { stdin: pipes.stdin, stdout, nonce, group, sudo, _running: pipes.running }),
            Ok(Err(Error::Lost(_))) => {
                // Its output ended, so it is over; what it complained may still be on its way.
                let said = match tokio::time::timeout(START, complaint).await {
                    // A login shell such as nologin explains itself on stdout.
                    Ok(Ok(said)) if !said.trim().is_empty() => said,
                    _ => noise,
                };
                Err(Error::Root(RootRefusal::of(&said), said))
            }
            Ok(Err(other)) => Err(other),
            Err(_) => Err(Error::Deadline(START)),
        }
    }

    /// Runs scripts that take no payload; each must answer within `limit` of the one before it. They go out at once: a round trip in
    /// all. `answered` is called as the answers come in, in order.
    pub(super) async fn run_all(
        &mut self,
        scripts: &[String],
        limit: Duration,
        mut answered: impl FnMut(usize, Result<Output, Garbled>),
    ) -> Result<(), Error> {
        let frames: String = scripts.iter().map(|script| frame::frame(script, 0)).collect();
        let Self { stdin, stdout, nonce, .. } = self;
        let send = async {
            stdin.write_all(frames.as_bytes()).await.map_err(|error| Error::Lost(error.to_string()))?;
            stdin.flush().await.map_err(|error| Error::Lost(error.to_string()))
        };
        let receive = async {
            for index in 0..scripts.len() {
                let answer = read_answer(stdout, nonce, limit).await?;
                answered(index, answer);
            }
            Ok(())
        };
        tokio::try_join!(send, receive).map(|_| ())
    }

    /// Runs one script with a payload; it must answer within `limit` of the payload's last byte.
    pub(super) async fn run(&mut self, script: &str, payload: Payload<'_>, limit: Duration) -> Result<Output, Error> {
        let Self { stdin, stdout, nonce, .. } = self;
        let Payload { from, size, sent } = payload;
        moving(stdin.write_all(frame::frame(script, size).as_bytes())).await?;
        // What is sent may be secret.
        let mut chunk = Zeroizing::new(vec![0; CHUNK]);
        let mut done = 0;
        while done < size {
            let room = usize::try_from(size - done).unwrap_or(CHUNK).min(CHUNK);
            let read = from.read(&mut chunk[..room]).await.map_err(|error| Error::here("read what is to be sent", &error))?;
            if read == 0 {
                return Err(Error::Here(format!("what is to be sent ended after {done} of {size} bytes")));
            }
            moving(stdin.write_all(&chunk[..read])).await?;
            done += read as u64;
            sent(done, size);
        }
        moving(stdin.flush()).await?;
        read_answer(stdout, nonce, limit).await?.map_err(Error::Garbled)
    }
}

/// A write that must not stall.
async fn moving(write: impl Future<Output = std::io::Result<()>>) -> Result<(), Error> {
    match tokio::time::timeout(STALL, write).await {
        Err(_) => Err(Error::Deadline(STALL)),
        Ok(written) => written.map_err(|error| Error::Lost(error.to_string())),
    }
}

/// Tells frames of this shell from everything else that a host may print.
pub(super) fn nonce() -> String {
    let mut bytes = [0; 16];
    rand::rng().fill_bytes(&mut bytes);
    bytes.iter().fold("bedplate-".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

async fn read_answer(stdout: &mut BufReader<Stream>, nonce: &str, limit: Duration) -> Result<Result<Output, Garbled>, Error> {
    let wait = async {
        loop {
            if let Some(answer) = frame::answer(&read_line(stdout).await?, nonce) {
                return Ok(answer);
            }
        }
    };
    tokio::time::timeout(limit, wait).await.map_err(|_| Error::Deadline(limit))?
}

async fn read_line(stdout: &mut BufReader<Stream>) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut line = Zeroizing::new(Vec::new());
    let read = stdout.take(LONGEST).read_until(b'\n', &mut line).await.map_err(|error| Error::Lost(error.to_string()))?;
    if read == 0 {
        return Err(Error::Lost("the shell on the host ended".into()));
    }
    Ok(line)
}

/// Keeps a program's pipe empty and the end of what it complains.
async fn listen(mut stderr: Stream) -> String {
    let mut kept = Vec::new();
    let mut chunk = [0; 2048];
    while let Ok(read @ 1..) = stderr.read(&mut chunk).await {
        kept.extend_from_slice(&chunk[..read]);
        kept.drain(..kept.len().saturating_sub(4000));
    }
    String::from_utf8_lossy(&kept).into_owned()
}
