//! Why no session came about.

use super::log;
use crate::model::Exit;
use crate::remote::error::{last_lines, printable};

/// Why no session came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::remote) enum LoginRefusal {
    /// The name has no address.
    NameUnknown,
    /// Nothing listens on the port.
    PortClosed,
    /// Nobody answers.
    NoAnswer,
    /// sshd hung up before anything was said.
    Throttled(Throttle),
    /// Its key is in no known_hosts. Holds the line for the inventory, if the key could be had.
    KeyUnknown(Option<String>),
    /// Its key is another than the known or pinned one.
    KeyChanged,
    /// There was no key to offer; what the agent had to say.
    NoKey(Agent),
    /// sshd takes no keys at all, only these methods.
    KeysNotTaken(String),
    /// sshd took none of these keys.
    KeysRefused(Vec<String>),
    /// sshd would take this key, but it could not be used.
    KeyUnusable(String, Accused),
    /// sshd hung up after so many keys.
    TooManyKeys(usize),
    /// sshd took the key, and then did not let the user in; what it said.
    AccountDenied(String),
    /// The jump host opens no connection to the host; its words.
    JumpRefused(String),
    /// The host's banner does not end.
    EndlessBanner,
    /// No `ssh` on this machine.
    NoSsh,
    /// Something else.
    Other,
}

/// What sshd says when it hangs up at once (openssh-portable: sshd.c, drop_connection).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::remote) enum Throttle {
    /// Too many logins are under way: `Exceeded MaxStartups`, until OpenSSH 9.7.
    MaxStartups,
    /// That, or this address failed too often lately: since OpenSSH 9.8, which brought PerSourcePenalties, it is `Not allowed at this time`
    /// for both. A penalty lasts ten minutes at most, unless sshd_config says otherwise (sshd_config(5): max).
    NotNow,
    /// Nothing.
    Silent,
}

/// What ssh got from the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::remote) enum Agent {
    /// None was there to ask.
    Absent,
    /// It does not answer at SSH_AUTH_SOCK.
    Gone,
    /// It has no key, or is locked.
    Empty,
}

/// Why a key could not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::remote) enum Accused {
    /// It wants its passphrase, and ssh may not ask.
    Locked,
    /// Others can read its file.
    Open,
    /// The agent did not sign.
    Agent,
}

impl LoginRefusal {
    /// Sorts what ssh logged at DEBUG1.
    pub(in crate::remote) fn of(said: &str) -> Self {
        log::refusal(said)
    }

    /// What was seen, in our words.
    pub(in crate::remote) fn seen(&self, said: &str) -> String {
        match self {
            Self::NameUnknown => "the name does not resolve".into(),
            Self::PortClosed => "the port is closed (connection refused)".into(),
            Self::NoAnswer => format!("no answer ({})", printable(log::plain(said).last().unwrap_or_default())),
            Self::Throttled(Throttle::MaxStartups) => "sshd hung up: too many logins are under way there (MaxStartups)".into(),
            Self::Throttled(Throttle::NotNow) => {
                "sshd hung up: it takes no login from here at this time (PerSourcePenalties or MaxStartups)".into()
            }
            Self::Throttled(Throttle::Silent) => "the port is open, but whoever answers hung up at once".into(),
            Self::KeyUnknown(_) => "the host's key is not known, and nobody confirmed it".into(),
            Self::KeyChanged => "the host's key is another than the known one: the host was reinstalled, or someone is in between".into(),
            Self::NoKey(Agent::Absent) => "ssh has no key to offer: no file, and no agent".into(),
            Self::NoKey(Agent::Gone) => "ssh has no key to offer: the agent at SSH_AUTH_SOCK does not answer".into(),
            Self::NoKey(Agent::Empty) => "ssh has no key to offer: the agent is empty or locked".into(),
            Self::KeysNotTaken(methods) => format!("sshd takes no keys, only {}", printable(methods)),
            Self::KeysRefused(keys) => format!("sshd accepted none of the keys offered: {}", printable(&keys.join(", "))),
            Self::KeyUnusable(key, Accused::Locked) => {
                format!("sshd would take the key {}, but it is locked by a passphrase", printable(key))
            }
            Self::KeyUnusable(key, Accused::Open) => {
                format!("sshd would take the key {}, but ssh does not use a key file that others can read", printable(key))
            }
            Self::KeyUnusable(key, Accused::Agent) => format!("sshd would take the key {}, but the agent did not sign", printable(key)),
            Self::TooManyKeys(offered) => format!("sshd hung up after {offered} keys were offered, none of them the right one"),
            Self::AccountDenied(words) => format!("sshd took the key, but does not let the user in{}", quoted(words)),
            Self::JumpRefused(words) => format!("the jump host opens no connection to it{}", quoted(words)),
            Self::EndlessBanner => "the host's banner does not end".into(),
            Self::NoSsh => "there is no `ssh` on this machine".into(),
            Self::Other => last_lines(&log::plain(said).collect::<Vec<_>>().join("\n")),
        }
    }

    /// What the user can do.
    pub(in crate::remote) fn cure(&self, said: &str) -> String {
        match self {
            Self::NameUnknown => "check `address` in the inventory, or the Host entry in ~/.ssh/config".into(),
            Self::PortClosed => "check `port`, that sshd runs, and that the firewall lets it through".into(),
            Self::NoAnswer => "check `address` and `port`, that the host is up, and its provider's firewall".into(),
            Self::Throttled(Throttle::MaxStartups) => {
                "wait a minute and run again; if it stays so, raise MaxStartups in the host's /etc/ssh/sshd_config, or see who knocks there".into()
            }
            Self::Throttled(Throttle::NotNow) => {
                "wait ten minutes and run again; if failed logins from here caused it, mend those first (`ssh` by hand counts, too); the host knows \
                 why: `journalctl -t sshd | grep 'drop connection'`"
                    .into()
            }
            Self::Throttled(Throttle::Silent) => {
                "wait some minutes and run again; if it stays so, see on the host whether fail2ban, MaxStartups or /etc/hosts.deny shut this \
                 machine out, and whether sshd listens on that port"
                    .into()
            }
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
            Self::NoKey(Agent::Absent) => {
                "set `identity_file` in the inventory, or make a key with `ssh-keygen -t ed25519` and have it put on the host".into()
            }
            Self::NoKey(Agent::Gone) => "start the agent again and `ssh-add` the key, or set `identity_file` in the inventory".into(),
            Self::NoKey(Agent::Empty) => {
                "add the key with `ssh-add` (`ssh-add -X` unlocks a locked agent), or set `identity_file` in the inventory".into()
            }
            Self::KeysNotTaken(_) => "set `PubkeyAuthentication yes` in the host's /etc/ssh/sshd_config and reload sshd".into(),
            Self::KeysRefused(_) => "check `user` and `identity_file`, that the public key is in that user's ~/.ssh/authorized_keys on the host, and that \
                                     the account is not locked or left out of AllowUsers"
                .into(),
            Self::KeyUnusable(key, Accused::Locked) => format!("unlock it for this session: `ssh-add {}`", printable(key)),
            Self::KeyUnusable(key, Accused::Open) => format!("`chmod 600 {}`", printable(key)),
            Self::KeyUnusable(_, Accused::Agent) => "confirm it at the agent, or touch the security key, when you run again".into(),
            Self::TooManyKeys(_) => "set `identity_file` in the inventory, so that only that key is offered".into(),
            Self::AccountDenied(_) => "see on the host whether the account expired (`chage -l USER`) or /run/nologin is there: right after its start a host \
                                       lets only root in"
                .into(),
            Self::JumpRefused(_) => {
                "check `address` and `port` as the jump host sees them, and `AllowTcpForwarding` in its /etc/ssh/sshd_config".into()
            }
            Self::EndlessBanner => "see what answers on that port; a sshd's Banner is a short file".into(),
            Self::NoSsh => "install the OpenSSH client".into(),
            Self::Other => "try `ssh -v` by hand".into(),
        }
    }

    /// The exit code.
    pub(in crate::remote) const fn exit(&self) -> Exit {
        match self {
            Self::KeyUnknown(_)
            | Self::KeyChanged
            | Self::NoKey(_)
            | Self::KeysNotTaken(_)
            | Self::KeysRefused(_)
            | Self::KeyUnusable(..)
            | Self::TooManyKeys(_)
            | Self::AccountDenied(_) => Exit::Refused,
            Self::NameUnknown
            | Self::PortClosed
            | Self::NoAnswer
            | Self::Throttled(_)
            | Self::JumpRefused(_)
            | Self::EndlessBanner
            | Self::NoSsh
            | Self::Other => Exit::Unreachable,
        }
    }
}

fn quoted(words: &str) -> String {
    let words = printable(words);
    if words.is_empty() { words } else { format!(": {words}") }
}
