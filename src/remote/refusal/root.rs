//! Why a session did not become root's.

use crate::remote::error::{last_lines, printable};

/// Why sudo, or the login shell before it, would not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::remote) enum RootRefusal {
    /// It wants a password.
    PasswordWanted,
    /// The password is wrong.
    WrongPassword,
    /// The user may not.
    NotAllowed,
    /// The file that should hold the password won't do.
    PasswordFile,
    /// It insists on a terminal.
    Requiretty,
    /// There is no sudo, and the user is not root.
    NoSudo,
    /// The login shell runs nothing.
    NoShell,
    /// The login password must be changed first.
    PasswordExpired,
    /// Something could not be written.
    DiskFull,
    /// sudo ended without a word, as it does where it can't write its own log.
    Silent,
    /// Something else.
    Other,
}

impl RootRefusal {
    /// Sorts what sudo said under `LC_ALL=C` (sudo 1.9 and sudo-rs), and what shells, sshd and nologin(8) say instead.
    pub(in crate::remote) fn of(said: &str) -> Self {
        let has = |text: &str| said.contains(text);
        if has("must have a tty") {
            Self::Requiretty
        } else if has("No space left on device") || has("Disk quota exceeded") {
            Self::DiskFull
        } else if has("sudo ended with ") {
            Self::Silent
        } else if has("This account is currently not available") || said.trim().is_empty() {
            Self::NoShell
        } else if has("Password change required") {
            Self::PasswordExpired
        } else if has("not in the sudoers file") || has("is not allowed to") || has("may not run sudo") || has("I'm sorry") {
            Self::NotAllowed
        } else if has("sudo: not found") || has("sudo': No such file") || has("‘sudo’: No such file") || has("sudo: command not found")
        {
            Self::NoSudo
        } else if has("incorrect") || has("try again") || has("Authentication fail") || has("no password was provided") {
            Self::WrongPassword
        } else if has("password is required") || has("authentication is required") || has("a terminal is required") {
            Self::PasswordWanted
        } else {
            Self::Other
        }
    }

    /// What was seen, in our words.
    pub(in crate::remote) fn seen(self, said: &str) -> String {
        match self {
            Self::PasswordWanted => "sudo asks for a password, and nobody is there to type it".into(),
            Self::WrongPassword => "sudo did not take the password".into(),
            Self::NotAllowed => format!("the login user may not use sudo ({})", printable(said)),
            Self::Requiretty => "sudo insists on a terminal (requiretty)".into(),
            Self::NoSudo => "the login user is not root, and there is no sudo".into(),
            Self::NoShell => "the login works, but the user's login shell runs no commands".into(),
            Self::PasswordExpired => "the login user's password has expired, and the host runs nothing until it is changed".into(),
            Self::DiskFull => format!("the host's disk is full ({})", printable(&last_lines(said))),
            Self::Silent => format!("{} and said nothing", printable(said)),
            Self::PasswordFile | Self::Other => last_lines(said),
        }
    }

    /// What the user can do.
    pub(in crate::remote) const fn cure(self) -> &'static str {
        match self {
            Self::PasswordWanted => "run it in a terminal, or name a file with the password in BEDPLATE_SUDO_PASSWORD_FILE",
            Self::WrongPassword => "check the password of the login user (not of root)",
            Self::PasswordFile => "name a file whose first line is the password and that only you can read (chmod 600)",
            Self::NotAllowed => "add the user to the sudo group as root: `usermod -aG sudo USER`, or log in as root",
            Self::Requiretty => "remove `Defaults requiretty` from /etc/sudoers (visudo)",
            Self::NoSudo => "install sudo as root, or set `user = \"root\"`",
            Self::NoShell => "give the user a shell as root (`chsh -s /bin/bash USER`), or check `user`",
            Self::PasswordExpired => "log in once with `ssh -t` and change it, or `chage -d \"$(date +%F)\" USER` as root",
            Self::DiskFull => "make room on the host (`df -h`, `journalctl --vacuum-size=100M`), then run again",
            Self::Silent => "see on the host whether a disk is full (`df -h`, `df -i`); else try `sudo -v` there by hand",
            Self::Other => "try `sudo -v` on the host by hand",
        }
    }
}
