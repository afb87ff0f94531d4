//! Servers of databases in the cluster, and what is done to a login's password there.

use std::fmt;

use serde::Deserialize;

use super::{ObjectRef, Secret};

/// Whose server it is, and so which client speaks to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DatabaseKind {
    /// PostgreSQL, by `psql`.
    Postgres,
    /// MariaDB, by `mariadb`.
    Mariadb,
}

/// A login at the server that runs in a pod.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct DatabaseLogin {
    /// Which client.
    pub kind: DatabaseKind,
    /// Namespace of the pod.
    pub namespace: String,
    /// Name of the pod.
    pub pod: String,
    /// Where the client is; none: the pod has one container, or names its default.
    #[serde(default)]
    pub container: Option<String>,
    /// The pod's own, which a server asks for a password from, as it often does not of loopback.
    pub address: String,
    /// Who logs in.
    pub user: String,
    /// What is logged in to; none: what the client takes.
    #[serde(default)]
    pub database: Option<String>,
}

/// Where a password lies: a key of a Secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct PasswordRef {
    /// Name of the Secret, in the namespace of the login.
    pub secret: String,
    /// Which key.
    pub key: String,
}

/// Key of the Secret of a rotation that goes on: the password that was there before.
pub const OLD_PASSWORD: &str = "old";
/// Key of the Secret of a rotation that goes on: the password that comes.
pub const NEW_PASSWORD: &str = "new";
/// Annotation of that Secret: which database's rotation it is.
pub const ROTATION: &str = "bedplate.dev/rotation";

/// What a rotation of a password does.
#[derive(Clone, Debug, PartialEq)]
pub enum RotationAction {
    /// Make a password in memory, and create the Secret that holds it beside the old one; a Secret that is there already is left alone.
    Begin {
        /// The Secret of the rotation.
        secret: ObjectRef,
        /// Which database's.
        database: String,
        /// The password that is there.
        old: Secret,
    },
    /// Change the password in the server, logged in with the old one; of MariaDB that of every account of this user's name.
    Change {
        /// Whose.
        login: DatabaseLogin,
        /// What logs in now.
        old: Secret,
        /// What will.
        new: Secret,
    },
    /// Write one key of a Secret, with a new revision; one that was changed since it was read is left alone.
    Write {
        /// Which.
        secret: ObjectRef,
        /// Its version when it was read.
        resource_version: String,
        /// The key.
        key: String,
        /// Its value.
        value: Secret,
    },
}

impl fmt::Display for DatabaseKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Postgres => "PostgreSQL",
            Self::Mariadb => "MariaDB",
        })
    }
}

impl fmt::Display for RotationAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begin { secret, .. } => write!(f, "make a password and keep it beside the old one in {secret}"),
            Self::Change { login, .. } => {
                write!(f, "change the password of {} in {} of pod {}/{}", login.user, login.kind, login.namespace, login.pod)
            }
            Self::Write { secret, key, .. } => write!(f, "write {key} of {secret}"),
        }
    }
}
