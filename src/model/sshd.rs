//! What a host says of its sshd.

use std::collections::BTreeSet;

use serde::Deserialize;

/// The settings that are ours: of all drop-ins the first.
pub const SSHD_DROP_IN: &str = "/etc/ssh/sshd_config.d/00-bedplate.conf";
/// Is there while settings are tried that nobody has proven: what systemd-tmpfiles does at boot to go back.
pub const SSHD_UNPROVEN: &str = "/etc/tmpfiles.d/bedplate-sshd.conf";
/// Stands for everybody whom sshd's files do not name.
pub const STRANGER: &str = "stranger";

/// Of `HostQuestion::Sshd`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct SshdFacts {
    /// The unit that runs it or lets it be run, e.g. `ssh.service`; none: none that is known.
    pub unit: Option<String>,
    /// Whether a run that died left settings that nobody has proven.
    pub unproven: bool,
    /// Whether its main file includes our drop-in, for everybody.
    pub includes: bool,
    /// Who may log in by a password from anywhere: of [`STRANGER`], root and the login user.
    pub passwords: BTreeSet<String>,
    /// Whether root may log in from anywhere.
    pub root_login: PermitRootLogin,
}

/// Whether root may log in, by sshd's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PermitRootLogin {
    /// By a password, too.
    Yes,
    /// By a key.
    ProhibitPassword,
    /// By a key that can do no more than one thing.
    ForcedCommandsOnly,
    /// Not at all.
    No,
}
