//! Why a host would not have us: the words of ssh and sudo, sorted.

use super::error::{last_lines, printable};
use crate::model::Exit;

/// Why no session came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ConnectRefusal {
    /// The name has no address.
    NameUnknown,
    /// Nothing listens on the port.
    PortClosed,
    /// Nobody answers.
    NoAnswer,
    /// Its key is in no known_hosts. Holds the line for the inventory, if the key could be had.
    KeyUnknown(Option<String>),
    /// Its key is another than the known or pinned one.
    KeyChanged,
    /// sshd took none of our keys.
    LoginRefused,
    /// sshd hung up after too many keys.
    TooManyKeys,
    /// No `ssh` on this machine.
    NoSsh,
    /// Something else.
    Other,
}

impl ConnectRefusal {
    /// Sorts what ssh said (openssh-portable: ssh.c, sshconnect.c, sshconnect2.c; the texts are not translated).
    pub(super) fn of(said: &str) -> Self {
        let has = |text: &str| said.contains(text);
        if has("REMOTE HOST IDENTIFICATION HAS CHANGED") || has("has been revoked") {
            Self::KeyChanged
        } else if has("Host key verification failed") || (has("No ") && has(" host key is known for")) {
            Self::KeyUnknown(None)
        } else if has("Too many authentication failures") {
            Self::TooManyKeys
        } else if has("Permission denied") {
            Self::LoginRefused
        } else if has("Could not resolve hostname") {
            Self::NameUnknown
        } else if has("Connection refused") {
            Self::PortClosed
        } else if has("timed out") || has("No route to host") || has("Network is unreachable") {
            Self::NoAnswer
        } else {
            Self::Other
        }
    }

    /// What was seen, in our words.
    pub(super) fn seen(&self, said: &str) -> String {
        match self {
            Self::NameUnknown => "the name does not resolve".into(),
            Self::PortClosed => "the port is closed (connection refused)".into(),
            Self::NoAnswer => format!("no answer ({})", printable(last_lines(said).lines().last().unwrap_or_default())),
            Self::KeyUnknown(_) => "the host's key is not known, and nobody confirmed it".into(),
            Self::KeyChanged => "the host's key is another than the known one: the host was reinstalled, or someone is in between".into(),
            Self::LoginRefused => {
                let line = said.lines().find(|line| line.contains("Permission denied")).unwrap_or_default();
                format!("sshd accepted none of the keys offered ({})", printable(line))
            }
            Self::TooManyKeys => "sshd hung up after too many keys were offered".into(),
            Self::NoSsh => "there is no `ssh` on this machine".into(),
            Self::Other => last_lines(said),
        }
    }

    /// What the user can do.
    pub(super) fn cure(&self, said: &str) -> String {
        match self {
            Self::NameUnknown => "check `address` in the inventory, or the Host entry in ~/.ssh/config".into(),
            Self::PortClosed => "check `port`, that sshd runs, and that the firewall lets it through".into(),
            Self::NoAnswer => "check `address` and `port`, that the host is up, and its provider's firewall".into(),
            Self::KeyUnknown(Some(line)) => format!(
                "compare the key with what the provider's console shows (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub); if it is the same, \
                 put this into the inventory:\n    {line}"
            ),
            Self::KeyUnknown(None) => "connect once by hand with `ssh` and compare the fingerprint, or set `host_key` in the inventory".into(),
            Self::KeyChanged => {
                let stale = said.lines().find_map(|line| line.trim().strip_prefix("Offending ")).map(printable);
                let place = stale.map(|place| format!(" (known: {place})")).unwrap_or_default();
                format!(
                    "if you reinstalled the host, compare its key on the provider's console, then mend `host_key` in the inventory or \
                     remove the old key with `ssh-keygen -R`{place}"
                )
            }
            Self::LoginRefused => {
                "check `user` and `identity_file`, that the public key is in the host's ~/.ssh/authorized_keys, and `ssh-add -l` if an agent holds it".into()
            }
            Self::TooManyKeys => "set `identity_file` in the inventory, so that only that key is offered".into(),
            Self::NoSsh => "install the OpenSSH client".into(),
            Self::Other => "try `ssh -v` by hand".into(),
        }
    }

    /// The exit code.
    pub(super) const fn exit(&self) -> Exit {
        match self {
            Self::KeyUnknown(_) | Self::KeyChanged | Self::LoginRefused | Self::TooManyKeys => Exit::Refused,
            Self::NameUnknown | Self::PortClosed | Self::NoAnswer | Self::NoSsh | Self::Other => Exit::Unreachable,
        }
    }
}

/// Why sudo would not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RootRefusal {
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
    /// Something else.
    Other,
}

impl RootRefusal {
    /// Sorts what sudo said under `LC_ALL=C` (sudo 1.9 and sudo-rs).
    pub(super) fn of(said: &str) -> Self {
        let has = |text: &str| said.contains(text);
        if has("must have a tty") {
            Self::Requiretty
        } else if has("not in the sudoers file") || has("is not allowed to") || has("may not run sudo") || has("I'm sorry") {
            Self::NotAllowed
        } else if has("sudo: not found") || has("sudo': No such file") || has("‘sudo’: No such file") {
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
    pub(super) fn seen(self, said: &str) -> String {
        match self {
            Self::PasswordWanted => "sudo asks for a password, and nobody is there to type it".into(),
            Self::WrongPassword => "sudo did not take the password".into(),
            Self::NotAllowed => format!("the login user may not use sudo ({})", printable(said)),
            Self::Requiretty => "sudo insists on a terminal (requiretty)".into(),
            Self::NoSudo => "the login user is not root, and there is no sudo".into(),
            Self::PasswordFile | Self::Other => last_lines(said),
        }
    }

    /// What the user can do.
    pub(super) const fn cure(self) -> &'static str {
        match self {
            Self::PasswordWanted => "run it in a terminal, or name a file with the password in BEDPLATE_SUDO_PASSWORD_FILE",
            Self::WrongPassword => "check the password of the login user (not of root)",
            Self::PasswordFile => "name a file whose first line is the password and that only you can read (chmod 600)",
            Self::NotAllowed => "add the user to the sudo group as root: `usermod -aG sudo USER`, or log in as root",
            Self::Requiretty => "remove `Defaults requiretty` from /etc/sudoers (visudo)",
            Self::NoSudo => "install sudo as root, or set `user = \"root\"`",
            Self::Other => "try `sudo -v` on the host by hand",
        }
    }
}
