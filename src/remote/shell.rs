//! The long-lived privileged shell of a host: scripts in, answers out, one after the other over one session.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::RngCore as _;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::sync::{Mutex, mpsc};
use zeroize::Zeroizing;

use super::beside::Parcels;
use super::error::Error;
use super::frame::{self, CAP, Garbled, Output};
use super::line::{Input, Line, Pipes, Running, Stream};
use super::program::climb;
use super::refusal::RootRefusal;
use crate::model::{Privilege, Secret};

/// For login shell, sudo and worker to come up.
const START: Duration = Duration::from_secs(30);
/// For one chunk of a payload to go out.
const STALL: Duration = Duration::from_secs(60);
/// Bytes of a payload that go out at a time.
const CHUNK: usize = 128 << 10;
/// Most bytes that a login prints before the worker speaks, and that come between answers.
pub(super) const NOISE: u64 = 1 << 20;
/// Longest line that can be an answer: base64 of `CAP`, the complaint, the nonces.
const LONGEST: u64 = (CAP as u64 / 3 + 64) * 4 + 8192;

/// A running worker.
pub(super) struct Shell {
    stdin: Input,
    stdout: BufReader<Stream>,
    nonce: String,
    /// The worker's process group.
    pub(super) group: u32,
    /// How it became root.
    pub(super) privilege: Privilege,
    /// The session ends with its handle.
    _running: Running,
}

/// A login that is not a shell yet.
struct Arrival<'a> {
    stdout: BufReader<Stream>,
    nonce: &'a str,
    /// The beginning of what was skipped.
    noise: String,
    /// Bytes that may still be skipped.
    room: u64,
}

impl Arrival<'_> {
    /// What stands behind the next nonce.
    async fn hello(&mut self) -> Result<String, Error> {
        let wait = async {
            loop {
                let line = read_line(&mut self.stdout, &mut self.room).await?.ok_or(Error::Noise)?;
                let line = String::from_utf8_lossy(&line);
                if let Some(hello) = line.strip_prefix(self.nonce).and_then(|rest| rest.strip_prefix(' ')) {
                    return Ok(hello.to_owned());
                }
                if self.noise.len() < 4000 {
                    self.noise.extend(line.chars().take(4000));
                }
            }
        };
        tokio::time::timeout(START, wait).await.map_err(|_| Error::Deadline(START))?
    }
}

/// The password for a first look, the same for the sudo that stays, and the worker's nonce.
fn opening(password: &Secret, nonce: &str) -> Secret {
    // Sized at once, so that no copy of the password stays behind.
    let mut opening = Vec::with_capacity(2 * password.expose().len() + nonce.len() + 3);
    for line in [password.expose(), password.expose(), nonce.as_bytes()] {
        opening.extend_from_slice(line);
        opening.push(b'\n');
    }
    Secret::new(opening)
}

/// What goes along with a script.
pub(super) struct Payload<'a> {
    pub(super) from: &'a mut (dyn AsyncRead + Send + Unpin),
    /// Exactly as many bytes are sent.
    pub(super) size: u64,
    /// Told (sent, in all).
    pub(super) sent: &'a (dyn Fn(u64, u64) + Send + Sync),
}

/// A script with a payload that is at hand.
pub(super) struct Parcel {
    pub(super) script: String,
    pub(super) payload: Vec<u8>,
    /// Bytes for which it stands, where it is packed.
    pub(super) size: u64,
}

impl Shell {
    /// Starts a worker as root. Where sudo wants a password, `learn` is asked for it; it comes back with the shell. A worker that does not
    /// come up is a matter of sudo or of the login shell; what they said tells which.
    pub(super) async fn start(line: &Line, learn: impl AsyncFnOnce() -> Result<Secret, Error>) -> Result<(Self, Option<Secret>), Error> {
        let Pipes { mut stdin, stdout, stderr, running } = line.spawn(&climb()).await?;
        let nonce = nonce();
        // The first is for the way up, the second for the worker. Whoever refuses closes its input at once; why, it says on stderr.
        let _ = stdin.write_all(format!("{nonce}\n{nonce}\n").as_bytes()).await;
        let complaint = tokio::spawn(listen(stderr));
        let mut arrival = Arrival { stdout: BufReader::new(stdout), nonce: &nonce, noise: String::new(), room: NOISE };
        let mut password = None;
        let mut hello = arrival.hello().await;
        if let Ok(words) = &hello
            && let Some(said) = words.strip_prefix("denied ")
        {
            let said = STANDARD.decode(said.trim_end()).map_err(|_| Error::Garbled(Garbled::Form))?;
            let said = String::from_utf8_lossy(&said).into_owned();
            match RootRefusal::of(&said) {
                RootRefusal::PasswordWanted => {}
                other => return Err(Error::Root(other, said)),
            }
            let learnt = learn().await?;
            let _ = stdin.write_all(opening(&learnt, &nonce).expose()).await;
            password = Some(learnt);
            hello = arrival.hello().await;
        }
        let Arrival { stdout, noise, .. } = arrival;
        match hello {
            Ok(hello) => {
                let mut words = hello.split_whitespace();
                let group = words.next().and_then(|word| word.parse().ok()).ok_or(Error::Garbled(Garbled::Form))?;
                let privilege = match (words.next(), &password) {
                    (None, _) => Privilege::Root,
                    (Some(_), None) => Privilege::Sudo,
                    (Some(_), Some(_)) => Privilege::SudoPassword,
                };
                Ok((Self { stdin, stdout, nonce, group, privilege, _running: running }, password))
            }
            Err(Error::Lost(_)) => {
                // Its output ended, so it is over; what it complained may still be on its way.
                let said = match tokio::time::timeout(START, complaint).await {
                    // A login shell such as nologin explains itself on stdout.
                    Ok(Ok(said)) if !said.trim().is_empty() => said,
                    _ => noise,
                };
                Err(Error::Root(RootRefusal::of(&said), said))
            }
            Err(other) => Err(other),
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

    /// Sends parcels, `first` before all others, without waiting for the answer to one before the next goes out. The first that fails ends
    /// it. `sent` is told of each chunk (bytes, bytes for which they stand). Returns how many bytes of the others went.
    pub(super) async fn stream(
        &mut self,
        first: Option<Parcel>,
        parcels: &Mutex<Parcels>,
        limit: Duration,
        sent: &(dyn Fn(u64, u64) + Send + Sync),
    ) -> Result<u64, Error> {
        let Self { stdin, stdout, nonce, .. } = self;
        let (out, mut due) = mpsc::unbounded_channel();
        let send = async move {
            if let Some(first) = first {
                put(stdin, first, sent).await?;
                let _ = out.send(());
            }
            let mut bytes = 0;
            loop {
                let next = parcels.lock().await.recv().await;
                let Some(packing) = next else { return Ok(bytes) };
                let parcel = packing.await.map_err(|error| Error::here("read what is to be sent", &error))?;
                bytes += put(stdin, parcel, sent).await?;
                // Nobody waits for an answer where one has failed.
                let _ = out.send(());
            }
        };
        let receive = async {
            while due.recv().await.is_some() {
                read_answer(stdout, nonce, limit).await?.map_err(Error::Garbled)?.succeeded()?;
            }
            Ok(())
        };
        tokio::try_join!(send, receive).map(|(bytes, ())| bytes)
    }
}

/// Sends a parcel: how many bytes went.
async fn put(stdin: &mut Input, parcel: Parcel, sent: &(dyn Fn(u64, u64) + Send + Sync)) -> Result<u64, Error> {
    let Parcel { script, payload, size } = parcel;
    let all = payload.len() as u64;
    moving(stdin.write_all(frame::frame(&script, all).as_bytes())).await?;
    let mut done = 0;
    for chunk in payload.chunks(CHUNK) {
        moving(stdin.write_all(chunk)).await?;
        let more = chunk.len() as u64;
        sent(more, (done + more) * size / all - done * size / all);
        done += more;
    }
    moving(stdin.flush()).await?;
    Ok(all)
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
    let mut room = LONGEST + NOISE;
    let wait = async {
        loop {
            let line = read_line(stdout, &mut room).await?.ok_or(Error::Garbled(Garbled::TooLong))?;
            if let Some(answer) = frame::answer(&line, nonce) {
                return Ok(answer);
            }
        }
    };
    tokio::time::timeout(limit, wait).await.map_err(|_| Error::Deadline(limit))?
}

/// A line, or what came instead of one; none once `room` is used up.
pub(super) async fn read_line(stdout: &mut BufReader<Stream>, room: &mut u64) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
    let mut line = Zeroizing::new(Vec::new());
    if *room == 0 {
        return Ok(None);
    }
    let read = stdout.take(*room).read_until(b'\n', &mut line).await.map_err(|error| Error::Lost(error.to_string()))?;
    if read == 0 {
        return Err(Error::Lost("the shell on the host ended".into()));
    }
    *room -= read as u64;
    Ok(Some(line))
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
