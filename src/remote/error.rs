//! Everything that can go wrong with a host, and the one place where it gets its words.

use std::time::Duration;

use super::frame::Garbled;
use super::refusal::{LoginRefusal, RootRefusal};
use crate::model::{Exit, Failure, HostId, Scope, chain};

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Error {
    /// No session came about: why, and what ssh said.
    Connect(LoginRefusal, String),
    /// The jump host of that name can't be had.
    Jump(String, Box<Error>),
    /// No root: why, and what sudo said.
    Root(RootRefusal, String),
    /// More came than any login prints, and no shell.
    Noise,
    /// The session broke.
    Lost(String),
    /// No answer in this time.
    Deadline(Duration),
    /// The answer is none.
    Garbled(Garbled),
    /// A script failed: exit status and what it complained.
    Script { status: i32, stderr: String },
    /// The host's disk has no room: how much is lacking.
    Full(String),
    /// What was brought there is not as it must be.
    Amiss(String),
    /// Something on the operator's side.
    Here(String),
    /// Another run holds the lock: who.
    Locked(String),
    /// The keeper is gone, and the lock with it.
    LockLost,
    /// sshd forwards no ports.
    Forwarding,
    /// Somebody listens on that port of this machine already.
    Taken(u16),
    /// Nobody could come in any more, and so it was taken back: the cure, where that shut the door, and why.
    Shut(Option<&'static str>, Box<Error>),
    /// It was taken back, and still nobody can come in: why.
    StillShut(Box<Error>),
}

impl Error {
    /// What the crate says once a session has been up.
    pub(super) fn lost(error: &openssh::Error) -> Self {
        Self::Lost(chain(error))
    }

    /// Something that failed on the operator's side.
    pub(super) fn here(what: &str, error: &std::io::Error) -> Self {
        Self::Here(format!("{what}: {error}"))
    }

    /// The failure as its user reads it.
    pub(super) fn told(self, host: &HostId, tried: impl Into<String>) -> Failure {
        let (seen, cure, exit) = match self {
            Self::Connect(refusal, said) => (refusal.seen(&said), refusal.cure(&said), refusal.exit()),
            Self::Jump(jump, why) => {
                let Failure { seen, cure, exit, .. } = why.told(host, "");
                let jump = printable(&jump);
                (format!("its jump host {jump}: {seen}"), format!("for the jump host, which `ssh {jump}` reaches: {cure}"), exit)
            }
            Self::Noise => {
                let cure = "see what the login prints (~/.bashrc, a ForceCommand), and make it silent for commands".to_owned();
                ("the login prints without end".to_owned(), cure, Exit::Unreachable)
            }
            Self::Root(refusal, said) => (refusal.seen(&said), refusal.cure().to_owned(), Exit::Refused),
            Self::Lost(why) => {
                let cure = "check the line to the host and run again: every step starts from what is there".to_owned();
                (format!("the ssh session broke ({})", printable(&why)), cure, Exit::Unreachable)
            }
            Self::Deadline(limit) => {
                let cure = "see on the host what hangs (disk, DNS, a stuck process) and run again".to_owned();
                (format!("no answer within {} s", limit.as_secs()), cure, Exit::Failed)
            }
            Self::Garbled(Garbled::TooLong) => {
                ("more output than 8 MiB".to_owned(), "see on the host why so much is printed".to_owned(), Exit::Failed)
            }
            Self::Garbled(Garbled::Form) => {
                let cure = "check that sh, head, tail and base64 on the host are the usual ones".to_owned();
                ("an answer that can't be read".to_owned(), cure, Exit::Failed)
            }
            Self::Script { status, stderr } => {
                (format!("exit {status}: {}", last_lines(&stderr)), script_cure(&stderr).to_owned(), Exit::Failed)
            }
            Self::Full(why) => {
                let cure =
                    "make room on the host's disk (`df -h`; `k3s crictl rmi --prune` removes images that nothing uses), then run again";
                (printable(&why), cure.to_owned(), Exit::Failed)
            }
            Self::Amiss(why) => {
                (why, "see on the host what containerd says (`journalctl -u k3s -u k3s-agent`), then run again".to_owned(), Exit::Failed)
            }
            Self::Here(why) => (why, "mend that on this machine, then run again".to_owned(), Exit::Failed),
            Self::Locked(holder) => {
                let cure = "wait until it ends; if that run is gone, the lock frees itself within 30 s".to_owned();
                (format!("another run holds the lock: {}", printable(&holder)), cure, Exit::Locked)
            }
            Self::LockLost => ("the session that holds the lock ended".to_owned(), "run again".to_owned(), Exit::Unreachable),
            Self::Shut(ours, why) => {
                let Failure { seen, cure, .. } = why.told(host, "");
                (format!("no new ssh connection came in, so it was taken back ({seen})"), ours.map_or(cure, str::to_owned), Exit::Failed)
            }
            Self::StillShut(why) => {
                let Failure { seen, .. } = why.told(host, "");
                let cure = "something else shuts you out: mend it by a session that stands, or at the provider's console".to_owned();
                (format!("no new ssh connection comes in, also now that it was taken back ({seen})"), cure, Exit::Failed)
            }
            Self::Taken(port) => {
                let cure = format!("end what listens there (`ss -tlnp sport = :{port}` shows it), such as another tunnel, then run again");
                (format!("port {port} of this machine is taken"), cure, Exit::Failed)
            }
            Self::Forwarding => {
                let cure = "set `AllowTcpForwarding local` (or yes) for the login user in /etc/ssh/sshd_config and reload sshd".to_owned();
                ("sshd forwards no ports (AllowTcpForwarding)".to_owned(), cure, Exit::Failed)
            }
        };
        Failure { scope: Some(Scope::Host(host.clone())), step: None, tried: tried.into(), seen, cure, exit }
    }
}

/// What helps against a failure on the host, as far as the system's words tell.
fn script_cure(said: &str) -> &'static str {
    let has = |text: &str| said.contains(text);
    if has("No space left on device") || has("no space left on device") {
        "make room on the host's disk (`df -h`), then run again"
    } else if has("Read-only file system") {
        "the host's disk is read-only: see `dmesg` for its errors, then run again"
    } else if said.lines().any(lacks_program) {
        "install on the host what is missing, then run again"
    } else {
        "mend on the host what the lines above name, then run again: every step starts from what is there"
    }
}

/// As dash, bash and timeout say it: `sh: 1: nft: not found`. Others use such words of images and objects.
fn lacks_program(line: &str) -> bool {
    let shell = line.starts_with("sh: ") || line.starts_with("bash: ");
    shell && line.ends_with(": not found") || line.ends_with(": command not found") || line.starts_with("timeout: failed to run command ")
}

/// `text` in one line, fit for a terminal.
pub(super) fn printable(text: &str) -> String {
    text.split_whitespace()
        .map(|word| word.chars().filter(|character| !character.is_control()).collect::<String>())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Most characters of a line that are shown.
const LINE: usize = 500;

/// The last 15 lines of `text`, fit for a terminal.
pub(super) fn last_lines(text: &str) -> String {
    let lines: Vec<String> = text
        .lines()
        .map(|line| line.chars().filter(|character| !character.is_control() || *character == '\t').take(LINE).collect::<String>())
        .filter(|line| !line.trim().is_empty())
        .collect();
    match lines.len() {
        0 => "no output".to_owned(),
        many => lines[many.saturating_sub(15)..].join("\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_end_of_a_complaint_is_kept_and_no_control_character() {
        let text: String = (0..40).map(|line| format!("\u{1b}[31mline {line}\r\n")).collect();
        let kept = last_lines(&text);
        assert_eq!(kept.lines().count(), 15);
        assert!(kept.ends_with("[31mline 39") && !kept.contains('\u{1b}') && !kept.contains('\r'));
        assert_eq!(last_lines("\n\n"), "no output");
        assert_eq!(last_lines(&"x".repeat(1 << 20)).len(), LINE);
    }

    #[test]
    fn a_failed_script_shows_its_status_and_a_cure() {
        let failure = Error::Script { status: 3, stderr: "mv: No space left on device\n".into() }.told(&HostId("a".into()), "write /x");
        assert_eq!(failure.seen, "exit 3: mv: No space left on device");
        assert!(failure.cure.contains("df -h"));
    }

    #[test]
    fn a_missing_program_is_known_by_the_shells_own_words() {
        for said in [
            "sh: 1: nft: not found",
            "bash: line 1: nft: command not found",
            "a\ntimeout: failed to run command 'ss': No such file or directory",
        ] {
            assert!(script_cure(said).contains("install on the host"), "{said}");
        }
        for said in ["ctr: image \"docker.io/shop/web:1\": not found", "Error: release: not found", "failed to run command of hook"] {
            assert!(!script_cure(said).contains("install on the host"), "{said}");
        }
    }
}
