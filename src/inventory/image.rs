//! `[images]`: where each image comes from.

use std::fmt;
use std::path::PathBuf;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::model::ImageSource;

/// An image: a path, which is an archive's, or a table that names one source.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields, default)]
pub struct Image {
    /// A docker-archive, OCI tar or OCI folder.
    pub archive: Option<PathBuf>,
    /// The name of an image of Docker on the operator's machine.
    pub docker: Option<String>,
    /// The name of an image of Podman on the operator's machine.
    pub podman: Option<String>,
    /// The reference of an image in a registry that the operator's machine reaches.
    pub registry: Option<String>,
    /// The command that makes it. `sh` runs it in the inventory's folder before `bootstrap` looks at the image.
    pub build: Option<String>,
    /// How many former versions of it stay on a host beside the one that is wanted.
    pub keep: Option<u8>,
}

impl Image {
    /// Every source that is named: one, or `lint` says otherwise.
    pub fn sources(&self) -> impl Iterator<Item = ImageSource> + '_ {
        let archive = self.archive.iter().cloned().map(ImageSource::Archive);
        let docker = self.docker.iter().cloned().map(ImageSource::Docker);
        let podman = self.podman.iter().cloned().map(ImageSource::Podman);
        archive.chain(docker).chain(podman).chain(self.registry.iter().cloned().map(ImageSource::Registry))
    }
}

impl From<PathBuf> for Image {
    fn from(path: PathBuf) -> Self {
        Self { archive: Some(path), ..Self::default() }
    }
}

struct Written;

impl<'de> Visitor<'de> for Written {
    type Value = Image;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a path or a table")
    }

    fn visit_str<E: Error>(self, path: &str) -> Result<Image, E> {
        Ok(PathBuf::from(path).into())
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Image, M::Error> {
        // The one that is derived.
        Image::deserialize(MapAccessDeserializer::new(map))
    }
}

impl<'de> Deserialize<'de> for Image {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Written)
    }
}
