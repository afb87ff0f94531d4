//! How a script travels to the worker and how its answer comes back. See `program` for the other end.

use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use zeroize::Zeroizing;

use super::error::Error;

/// Most bytes that a script may print.
pub(super) const CAP: usize = 8 << 20;

/// What a script left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Output {
    /// Exit status of the script.
    pub(super) status: i32,
    /// All that it printed; may hold secrets.
    pub(super) stdout: Zeroizing<Vec<u8>>,
    /// The end of what it complained, at most 4000 bytes.
    pub(super) stderr: String,
}

impl Output {
    /// Demands that it ended with 0.
    pub(super) fn succeeded(self) -> Result<(), Error> {
        let Self { status, stdout, stderr } = self;
        match status {
            0 => Ok(()),
            // Most programs complain on stderr, some on stdout.
            _ if stderr.trim().is_empty() => Err(Error::Script { status, stderr: String::from_utf8_lossy(&stdout).into_owned() }),
            _ => Err(Error::Script { status, stderr }),
        }
    }

    /// What it printed, as text.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }
}

/// Why a line is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Garbled {
    /// The script printed more than `CAP`.
    TooLong,
    /// It does not have an answer's form.
    Form,
}

/// The bytes of a script's frame: a line `script-length payload-length cap`, then the script. The payload follows as it is.
pub(super) fn frame(script: &str, payload: u64) -> String {
    // The worker takes the script by command substitution, which drops newlines at the end, and compares lengths.
    let script = script.trim_end_matches('\n');
    format!("{} {payload} {}\n{script}", script.len(), CAP + 16)
}

/// Takes an answer out of a line `NONCE STDERR STDOUT NONCE`; `None` for a line that is someone else's.
pub(super) fn answer(line: &[u8], nonce: &str) -> Option<Result<Output, Garbled>> {
    let rest = line.trim_ascii_end().strip_prefix(nonce.as_bytes())?.strip_prefix(b" ")?;
    Some(output(rest, nonce))
}

fn output(rest: &[u8], nonce: &str) -> Result<Output, Garbled> {
    let mut parts = rest.split(|&byte| byte == b' ');
    let (Some(stderr), Some(stdout), Some(end), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return Err(Garbled::Form);
    };
    if end != nonce.as_bytes() {
        return Err(Garbled::Form);
    }
    let mut stdout = match stdout.strip_prefix(b"~") {
        None => Zeroizing::new(STANDARD.decode(stdout).map_err(|_| Garbled::Form)?),
        Some(packed) => unpacked(&STANDARD.decode(packed).map_err(|_| Garbled::Form)?)?,
    };
    let stderr = STANDARD.decode(stderr).map_err(|_| Garbled::Form)?;
    // The status stands behind the output, in its stream: a script can't print after its own end.
    if stdout.len() >= CAP + 16 {
        return Err(Garbled::TooLong);
    }
    let body = stdout.strip_suffix(b"\n").ok_or(Garbled::Form)?;
    let cut = body.iter().rposition(|&byte| byte == b'\n').ok_or(Garbled::Form)?;
    let status = std::str::from_utf8(&body[cut + 1..]).ok().and_then(|text| text.parse().ok()).ok_or(Garbled::Form)?;
    stdout.truncate(cut);
    Ok(Output { status, stdout, stderr: String::from_utf8_lossy(&stderr).into_owned() })
}

/// What gzip packed. Bytes beyond the limit are not unpacked: the host may have packed any number of them.
fn unpacked(packed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Garbled> {
    let mut bytes = Zeroizing::new(Vec::new());
    GzDecoder::new(packed).take(CAP as u64 + 16).read_to_end(&mut bytes).map_err(|_| Garbled::Form)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read() {
        // `echo hi; echo err >&2; exit 7`, as dash 0.5.12 under the worker printed it.
        let read = answer(b"bedplate-x ZXJyCg== aGkKCjcK bedplate-x\n", "bedplate-x");
        assert_eq!(read, Some(Ok(Output { status: 7, stdout: b"hi\n".to_vec().into(), stderr: "err\n".into() })));
    }

    #[test]
    fn silence_is_an_answer() {
        let read = answer(b"bedplate-x  CjAK bedplate-x\n", "bedplate-x");
        assert_eq!(read, Some(Ok(Output { status: 0, stdout: Vec::new().into(), stderr: String::new() })));
    }

    #[test]
    fn noise_is_not() {
        for line in ["", "Welcome to Debian!\n", "bedplate-y  CjAK bedplate-y\n", "x bedplate-x  CjAK bedplate-x\n"] {
            assert_eq!(answer(line.as_bytes(), "bedplate-x"), None, "{line:?}");
        }
    }

    #[test]
    fn a_broken_answer_is_an_error() {
        for line in [
            "bedplate-x CjAK bedplate-x",
            "bedplate-x  CjAK ",
            "bedplate-x  !! bedplate-x",
            "bedplate-x  aGk= bedplate-x",
            "bedplate-x  CjAK bedplate-y",
            "bedplate-x  ~CjAK bedplate-x",
        ] {
            assert_eq!(answer(line.as_bytes(), "bedplate-x"), Some(Err(Garbled::Form)), "{line:?}");
        }
    }

    #[test]
    fn a_frame_counts_bytes_and_ends_without_newline() {
        assert_eq!(frame("echo é\n", 5), format!("7 5 {}\necho é", CAP + 16));
    }

    #[test]
    fn more_than_the_limit_is_not_unpacked() {
        let mut packed = Vec::new();
        flate2::read::GzEncoder::new(std::io::repeat(b'0').take(200 << 20), flate2::Compression::fast()).read_to_end(&mut packed).unwrap();
        let line = format!("bedplate-x  ~{} bedplate-x\n", STANDARD.encode(&packed));
        assert_eq!(answer(line.as_bytes(), "bedplate-x"), Some(Err(Garbled::TooLong)));
    }
}
