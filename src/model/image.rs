//! Images on the operator's side, and where they come from.

use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;

/// Where an image comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImageSource {
    /// A docker-archive, OCI tar or OCI folder.
    Archive(PathBuf),
    /// An image of Docker on the operator's machine, by its name.
    Docker(String),
    /// An image of Podman on the operator's machine, by its name.
    Podman(String),
    /// An image in a registry that the operator's machine reaches, by its reference.
    Registry(String),
}

impl fmt::Display for ImageSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Archive(path) => path.display().fmt(f),
            Self::Docker(name) => write!(f, "docker's {name}"),
            Self::Podman(name) => write!(f, "podman's {name}"),
            Self::Registry(name) => f.write_str(name),
        }
    }
}
