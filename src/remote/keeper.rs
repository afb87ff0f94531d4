//! The session that holds a host's lock, and the log of what is done there.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};

use super::Remote;
use super::error::Error;
use super::line::{Input, Pipes, Running, Stream};
use super::shell::{NOISE, nonce, read_line};

/// For the keeper to come up.
const START: Duration = Duration::from_secs(30);

/// Reads nonce, process group of the worker, who we are, and how long to wait for a lock that is held, seconds; then bytes: `.` is a
/// heartbeat, `p` brings the process group of another worker, `l` a line for the log, `q` gives the lock back. At the end of its input,
/// or after 20 s of silence, it ends the worker and all that it runs: 5 s for helm to mark its release as failed, then by force. The
/// lock's descriptor goes to no child that could outlive it. The log is cut at 1 MiB, and its former part kept.
pub(super) const KEEPER: &str = concat!(
    "umask 077; LC_ALL=C; PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; export LC_ALL PATH; cd /; ",
    "read -r k; case $k in bedplate-*) ;; *) exit 99;; esac; read -r w; read -r o; read -r s; ",
    "exec 9>>/run/bedplate.lock; ",
    "if flock -n 9; then :; else echo; echo \"$k held $(head -n 1 /run/bedplate.lock)\"; flock -w \"$s\" 9 || exit 75; fi; ",
    "echo \"$o\" >/run/bedplate.lock; ",
    "l=/var/log/bedplate; [ -d $l ] || mkdir -m 0750 $l 2>/dev/null; l=$l/actions.log; ",
    "if [ -f $l ] && [ $(stat -c %s $l) -gt 1048576 ]; then mv -f $l $l.1; fi; touch $l 2>/dev/null; ",
    "echo; echo \"$k locked\"; ",
    "while :; do b=$(timeout 20 head -c 1 9>&-); ",
    "case $b in .) ;; p) read -r w;; q) exit 0;; ",
    "l) read -r n; t=$(timeout 20 head -c \"$n\" 9>&-) || break; date -u \"+%FT%TZ $t\" >>$l 2>/dev/null 9>&-;; *) break;; esac; done; ",
    "kill -s TERM -- \"-$w\" 2>/dev/null; ",
    "i=0; while kill -s 0 -- \"-$w\" 2>/dev/null && [ $i -lt 25 ]; do sleep 0.2 9>&-; i=$((i+1)); done; ",
    "kill -s KILL -- \"-$w\" 2>/dev/null; ",
    "i=0; while kill -s 0 -- \"-$w\" 2>/dev/null && [ $i -lt 25 ]; do sleep 0.2 9>&-; i=$((i+1)); done; exit 0",
);

/// A keeper that holds the lock.
pub(super) struct Keeper {
    pub(super) stdin: Input,
    pub(super) stdout: BufReader<Stream>,
    /// The session ends with its handle.
    _running: Running,
}

impl Keeper {
    /// Starts one. A lock that another run holds is waited for, `patience` long.
    pub(super) async fn start(remote: &Remote, patience: Duration) -> Result<Self, Error> {
        let mut holder = None;
        let limit = START + patience;
        match tokio::time::timeout(limit, Self::started(remote, patience, &mut holder)).await {
            Ok(started) => started,
            Err(_) => Err(holder.map_or(Error::Deadline(limit), Error::Locked)),
        }
    }

    async fn started(remote: &Remote, patience: Duration, holder: &mut Option<String>) -> Result<Self, Error> {
        let lost = |error: std::io::Error| Error::Lost(error.to_string());
        let Pipes { mut stdin, stdout, stderr, running } = remote.root.spawn(&remote.line, KEEPER).await?;
        let nonce = nonce();
        let who = format!("{} since {}", remote.who().await, jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M:%S UTC"));
        let opening = format!("{nonce}\n{}\n{who}\n{}\n", *remote.group.borrow(), patience.as_secs());
        stdin.write_all(opening.as_bytes()).await.map_err(lost)?;
        let mut stdout = BufReader::new(stdout);
        let mut room = NOISE;
        loop {
            let Ok(line) = read_line(&mut stdout, &mut room).await else {
                if let Some(holder) = holder.take() {
                    return Err(Error::Locked(holder));
                }
                let mut said = String::new();
                let _ = stderr.take(NOISE).read_to_string(&mut said).await;
                return match running.wait().await {
                    Some(status) => Err(Error::Script { status, stderr: said }),
                    None => Err(Error::Lost("the session that holds the lock ended".into())),
                };
            };
            let line = line.ok_or(Error::Noise)?;
            match String::from_utf8_lossy(&line).trim_end().strip_prefix(nonce.as_str()).map(str::trim_start) {
                Some("locked") => return Ok(Self { stdin, stdout, _running: running }),
                Some(other) => *holder = other.strip_prefix("held ").map(str::to_owned),
                None => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::path::Path;
    use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
    use std::thread::JoinHandle;
    use std::time::Instant;

    use super::KEEPER;

    /// A keeper whose lock lies in `folder`, and what it says first.
    fn keeper(folder: &Path, worker: u32, patience: u32) -> (Child, ChildStdin, BufReader<ChildStdout>, String) {
        let program = KEEPER.replace("/run/", &format!("{}/", folder.display())).replace("/var/log/", &format!("{}/", folder.display()));
        let mut child = Command::new("sh").args(["-c", &program]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        write!(stdin, "bedplate-x\n{worker}\nme@here since today\n{patience}\n").unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut said = String::new();
        while !said.starts_with("bedplate-x") {
            said.clear();
            assert!(stdout.read_line(&mut said).unwrap() > 0);
        }
        (child, stdin, stdout, said)
    }

    /// A worker that runs a child, in a process group of its own, and whether it was left alone. It is waited for at once, as sshd does:
    /// a process that nobody waits for is not gone.
    fn worker(seconds: u32) -> (u32, JoinHandle<bool>) {
        let program = format!("sleep {seconds} & sleep {seconds}; exit 0");
        let mut child = Command::new("setsid").args(["-w", "sh", "-c", &program]).spawn().unwrap();
        (child.id(), std::thread::spawn(move || child.wait().unwrap().success()))
    }

    #[test]
    fn a_closed_line_ends_the_worker_before_the_lock_is_free() {
        let folder = tempfile::tempdir().unwrap();
        let (group, spared) = worker(60);
        let (mut first, stdin, _stdout, said) = keeper(folder.path(), group, 0);
        assert_eq!(said, "bedplate-x locked\n");
        let (_, _, _, said) = keeper(folder.path(), group, 0);
        assert_eq!(said, "bedplate-x held me@here since today\n");
        let cut = Instant::now();
        drop(stdin);
        assert!(first.wait().unwrap().success());
        assert!(!spared.join().unwrap());
        // Ten seconds at most, where the first process of the machine is slow to bury orphans.
        assert!(cut.elapsed().as_secs() < 20, "{:?}", cut.elapsed());
        let (_, _, _, said) = keeper(folder.path(), group, 0);
        assert_eq!(said, "bedplate-x locked\n");
    }

    #[test]
    fn a_lock_that_is_given_back_spares_the_worker_and_one_that_moved_hits_the_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let ((old, old_spared), (new, new_spared)) = (worker(2), worker(60));
        let (mut keeper, mut stdin, _stdout, _) = self::keeper(folder.path(), old, 0);
        write!(stdin, "..p{new}\n.").unwrap();
        drop(stdin);
        keeper.wait().unwrap();
        assert!(!new_spared.join().unwrap());
        let (mut keeper, mut stdin, _stdout, said) = self::keeper(folder.path(), old, 0);
        assert_eq!(said, "bedplate-x locked\n");
        stdin.write_all(b".q").unwrap();
        assert!(keeper.wait().unwrap().success() && old_spared.join().unwrap());
    }

    #[test]
    fn a_line_for_the_log_that_breaks_off_is_silence() {
        let folder = tempfile::tempdir().unwrap();
        let (group, spared) = worker(60);
        let (mut keeper, mut stdin, _stdout, _) = keeper(folder.path(), group, 0);
        let since = Instant::now();
        stdin.write_all(b".l100\na begun").unwrap();
        assert!(keeper.wait().unwrap().success() && !spared.join().unwrap());
        assert!(since.elapsed().as_secs() < 35, "{:?}", since.elapsed());
    }

    #[test]
    fn a_held_lock_is_waited_for_as_long_as_asked() {
        let folder = tempfile::tempdir().unwrap();
        let (group, _spared) = worker(2);
        let (_first, mut stdin, _stdout, _) = keeper(folder.path(), group, 0);
        let (mut second, _stdin, mut stdout, said) = keeper(folder.path(), group, 20);
        assert_eq!(said, "bedplate-x held me@here since today\n");
        stdin.write_all(b"q").unwrap();
        let mut said = String::new();
        stdout.read_line(&mut said).unwrap();
        stdout.read_line(&mut said).unwrap();
        assert_eq!(said, "\nbedplate-x locked\n");
        let (mut third, _stdin, _stdout, _) = keeper(folder.path(), group, 1);
        assert_eq!(third.wait().unwrap().code(), Some(75));
        second.kill().unwrap();
        second.wait().unwrap();
    }

    #[test]
    fn the_log_takes_lines_and_is_kept_short() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let (group, _spared) = worker(1);
        let log = folder.path().join("bedplate/actions.log");
        let (mut first, mut stdin, _stdout, _) = keeper(folder.path(), group, 0);
        assert_eq!(std::fs::metadata(log.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o750);
        stdin.write_all(b".l12\na begun: 9%%l13\na done: q 9%%q").unwrap();
        assert!(first.wait().unwrap().success());
        let text = std::fs::read_to_string(&log).unwrap();
        let lines: Vec<&str> = text.lines().map(|line| line.split_once(' ').unwrap().1).collect();
        assert_eq!(lines, ["a begun: 9%", "a done: q 9%"]);
        std::fs::write(&log, vec![b'x'; 1_200_000]).unwrap();
        let (_second, _stdin, _stdout, _) = keeper(folder.path(), group, 0);
        assert!(log.with_extension("log.1").exists());
        // Whoever writes into it first: nobody else reads it.
        let cut = std::fs::metadata(&log).unwrap();
        assert_eq!((cut.len(), cut.permissions().mode() & 0o777), (0, 0o600));
    }
}
