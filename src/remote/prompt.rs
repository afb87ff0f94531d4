//! The operator at the terminal, if there is one: asked for a password or a host key one question at a time.

use std::fs::File;
use std::io::{ErrorKind, IsTerminal as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::sync::{Mutex, OnceCell};

use super::error::Error;
use super::refusal::RootRefusal;
use crate::model::Secret;

/// Names a file whose first line is the sudo password.
pub const PASSWORD_FILE: &str = "BEDPLATE_SUDO_PASSWORD_FILE";

/// How long a question stands, as is said when nobody answers.
const STANDS: Duration = Duration::from_secs(600);

/// Whom to ask what only the operator knows.
#[derive(Debug)]
pub struct Prompt {
    terminal: bool,
    file: Option<PathBuf>,
    /// Held while a question stands on the terminal: hosts connect side by side.
    turn: Mutex<()>,
    /// Set once nobody answered: then nobody is asked again. What reads the terminal goes on reading it.
    left: AtomicBool,
    password: OnceCell<Secret>,
}

impl Prompt {
    /// The terminal if stdin and stderr are one, and the file that `BEDPLATE_SUDO_PASSWORD_FILE` names.
    #[must_use]
    pub fn of_environment() -> Self {
        let terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        Self::new(terminal, std::env::var_os(PASSWORD_FILE).map(PathBuf::from))
    }

    /// Nobody at the terminal; the password, if any, from `file`.
    #[must_use]
    pub fn unattended(file: Option<PathBuf>) -> Self {
        Self::new(false, file)
    }

    fn new(terminal: bool, file: Option<PathBuf>) -> Self {
        Self { terminal, file, turn: Mutex::new(()), left: AtomicBool::new(false), password: OnceCell::new() }
    }

    /// Whether somebody is there to ask.
    pub(super) fn attended(&self) -> bool {
        self.terminal && !self.left.load(Ordering::SeqCst)
    }

    /// Asks when its turn has come; none: nobody is there, or not any more.
    pub(super) async fn asks<T>(&self, question: impl Future<Output = std::io::Result<T>>) -> Option<std::io::Result<T>> {
        let _turn = self.turn.lock().await;
        if !self.attended() {
            return None;
        }
        let answer = question.await;
        if answer.as_ref().is_err_and(|error| error.kind() == ErrorKind::TimedOut) {
            self.left.store(true, Ordering::SeqCst);
        }
        Some(answer)
    }

    /// The sudo password of `login`, asked at most once a run: the users of all hosts are taken to share it.
    pub(super) async fn sudo_password(&self, login: &str) -> Result<Secret, Error> {
        self.password.get_or_try_init(|| self.learn(login)).await.cloned()
    }

    async fn learn(&self, login: &str) -> Result<Secret, Error> {
        if let Some(file) = &self.file {
            return read(file);
        }
        match self.asks(type_in(format!("sudo password of {login}: "))).await {
            None => Err(Error::Root(RootRefusal::PasswordWanted, String::new())),
            Some(typed) => typed.map_err(|error| Error::here("read the password", &error)),
        }
    }
}

/// A line that is typed at the terminal and not shown.
///
/// # Errors
/// There is no terminal, nothing can be read from it, or nobody typed in time.
pub async fn type_in(question: String) -> std::io::Result<Secret> {
    let _manners = Manners::now();
    answered(move || rpassword::prompt_password(question)).await.map(Secret::new)
}

/// What somebody answers whom `ask` asks at the terminal.
///
/// # Errors
/// It can't be asked, or nobody answered in time.
pub async fn answered<T: Send + 'static>(ask: impl FnOnce() -> std::io::Result<T> + Send + 'static) -> std::io::Result<T> {
    in_time(async { tokio::task::spawn_blocking(ask).await.map_err(std::io::Error::other)? }).await
}

/// An answer that comes in time. Whoever asks may hold the locks of all hosts, and people go home.
///
/// # Errors
/// `TimedOut`: none came.
pub(super) async fn in_time<T>(answer: impl Future<Output = std::io::Result<T>>) -> std::io::Result<T> {
    within(STANDS, answer).await
}

async fn within<T>(stands: Duration, answer: impl Future<Output = std::io::Result<T>>) -> std::io::Result<T> {
    let late = |_| std::io::Error::new(ErrorKind::TimedOut, "nobody answered within ten minutes");
    tokio::time::timeout(stands, answer).await.map_err(late)?
}

/// How the terminal behaves. It is left so, also when the run is interrupted while a password is typed, or ends while one is waited for.
struct Manners(Option<(File, Termios)>);

impl Manners {
    fn now() -> Self {
        Self(File::open("/dev/tty").ok().and_then(|terminal| tcgetattr(&terminal).ok().map(|manners| (terminal, manners))))
    }
}

impl Drop for Manners {
    fn drop(&mut self) {
        if let Self(Some((terminal, manners))) = self {
            // A terminal that is gone needs none.
            let _ = tcsetattr(terminal, OptionalActions::Now, manners);
        }
    }
}

/// The first line of a file that is not for everybody to read.
fn read(file: &Path) -> Result<Secret, Error> {
    let refused = |why: String| Error::Root(RootRefusal::PasswordFile, format!("{} (named by {PASSWORD_FILE}): {why}", file.display()));
    let mode = std::fs::metadata(file).map_err(|error| refused(error.to_string()))?.permissions().mode();
    if mode & 0o004 != 0 {
        return Err(refused("everybody can read it".into()));
    }
    let bytes = Secret::new(std::fs::read(file).map_err(|error| refused(error.to_string()))?);
    let line = bytes.expose().split(|&byte| byte == b'\n').next().unwrap_or_default();
    Ok(Secret::new(line.strip_suffix(b"\r").unwrap_or(line)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(content: &str, mode: u32) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(mode)).unwrap();
        file
    }

    #[tokio::test]
    async fn the_first_line_of_the_file_is_the_password() {
        let file = file("pa ss\r\nrest", 0o600);
        let password = Prompt::unattended(Some(file.path().into())).sudo_password("a@b").await.unwrap();
        assert_eq!(password.expose(), b"pa ss");
    }

    #[tokio::test]
    async fn a_file_open_to_everybody_is_refused() {
        let file = file("x", 0o644);
        let error = Prompt::unattended(Some(file.path().into())).sudo_password("a@b").await.unwrap_err();
        assert!(matches!(&error, Error::Root(RootRefusal::PasswordFile, why) if why.contains("everybody")), "{error:?}");
    }

    #[tokio::test]
    async fn a_question_does_not_stand_for_ever() {
        assert_eq!(answered(|| Ok("yes")).await.unwrap(), "yes");
        let late = within(Duration::from_millis(20), std::future::pending::<std::io::Result<()>>()).await.unwrap_err();
        assert_eq!(late.kind(), ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn who_did_not_answer_is_asked_no_more() {
        let prompt = Prompt::new(true, None);
        let wrong = prompt.asks(async { Err::<(), _>(std::io::Error::other("no terminal")) }).await;
        assert!(wrong.is_some_and(|answer| answer.is_err()) && prompt.attended());
        let late = prompt.asks(within(Duration::from_millis(20), std::future::pending::<std::io::Result<()>>())).await;
        assert!(late.is_some_and(|answer| answer.is_err()) && !prompt.attended());
        assert!(prompt.asks(async { Ok(()) }).await.is_none());
        let error = prompt.sudo_password("a@b").await.unwrap_err();
        assert_eq!(error, Error::Root(RootRefusal::PasswordWanted, String::new()));
    }

    #[tokio::test]
    async fn without_terminal_and_file_it_is_refused() {
        let error = Prompt::unattended(None).sudo_password("a@b").await.unwrap_err();
        assert_eq!(error, Error::Root(RootRefusal::PasswordWanted, String::new()));
    }
}
