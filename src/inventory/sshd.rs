//! `[sshd]`: what is no longer taken from who logs in.

use std::fmt;

use serde::Deserialize;

/// What is left out stays as it is.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sshd {
    /// Whether anybody may log in by a password: only `false` can be asked for.
    #[serde(default)]
    pub password_authentication: Option<bool>,
    /// Whether root may log in.
    #[serde(default)]
    pub root_login: Option<RootLogin>,
}

/// Whether root may log in, in sshd's own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RootLogin {
    /// Not at all.
    No,
    /// By a key.
    ProhibitPassword,
}

impl Sshd {
    /// Whether it takes passwords away.
    #[must_use]
    pub fn forbids_passwords(&self) -> bool {
        self.password_authentication == Some(false)
    }
}

impl fmt::Display for RootLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::No => "no",
            Self::ProhibitPassword => "prohibit-password",
        })
    }
}
