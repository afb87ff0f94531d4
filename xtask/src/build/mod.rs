//! Builds everything that the rig serves, from sources that package registries carry.
//!
//! Each part lies in a cache entry named by what it was made from, so an edit rebuilds what depends on it and nothing
//! else. The versions are upstream's; `tests/rig/CONTRACT.md` says what is upstream's code and what is ours.

mod cache;
mod chart;
mod databases;
mod debian;
mod go;
mod image;
mod parts;
mod payload;
mod program;
mod site;
mod source;

use std::fmt;
use std::path::PathBuf;

use anyhow::Result;
use serde::{Deserialize, Serialize};

pub use databases::databases;
pub use debian::containerd;
pub use image::append;
pub use source::released;

/// What was built, ready to be served.
pub struct Artifacts {
    /// Served over HTTP, in the shape of the upstream download sites.
    pub dir: PathBuf,
    /// The artifacts below `dir` that an inventory's versions name.
    pub pins: Vec<Pin>,
    /// What the rig's registry must hold.
    pub images: Vec<RegistryImage>,
    /// What the demo application's inventory imports.
    pub app_images: AppImages,
    /// Programs that run on this machine: `helm`, `serve`.
    pub bin: PathBuf,
}

/// An artifact as `bedplate.lock` knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// `k3s`, `k3s-airgap`, `helm` or `cert-manager`.
    pub name: String,
    /// Upstream's, with a leading `v`.
    pub version: String,
    /// `amd64`, or none for what runs anywhere.
    pub arch: Option<String>,
    /// Below [`Artifacts::dir`].
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Lowercase hex.
    pub sha256: String,
}

/// An image for the rig's registry.
pub struct RegistryImage {
    /// A docker-archive, which may hold further images.
    pub tar: PathBuf,
    /// The name in the archive and, without its host, in the registry: `quay.io/jetstack/…:v1.20.3`.
    pub name: String,
}

/// The demo application's images, one docker-archive each.
pub struct AppImages {
    /// `shop/auth:1.0.0`.
    pub auth: PathBuf,
    /// `shop/web:1.0.0`.
    pub web: PathBuf,
    /// `shop/tokens:1.0.0`: of the rows that rotate keys.
    pub tokens: PathBuf,
}

/// The program that reads `.env` files as compose does.
pub fn dotenv() -> Result<PathBuf> {
    go::Go::new(&cache::Cache::open()?, &sources()?)?.build(&program::DOTENV)
}

fn sources() -> Result<PathBuf> {
    Ok(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/rig").canonicalize()?)
}

/// What becomes of earlier builds.
#[derive(PartialEq, Eq)]
pub enum Former {
    /// The rig may be serving them.
    Kept,
    /// The caller holds the rig, so that nobody uses them: most go.
    Pruned,
}

/// Builds what is not in the cache. Minutes when nothing is, less than a second when everything is; waits while another
/// process builds.
pub fn artifacts(former: Former) -> Result<Artifacts> {
    let cache = cache::Cache::open()?;
    let parts = parts::Parts::build(&cache, &sources()?)?;
    let site = site::assemble(&cache, &parts)?;
    if former == Former::Pruned {
        cache.prune()?;
    }
    Ok(Artifacts {
        dir: site.join(site::SERVED),
        pins: site::pins(&site)?,
        images: parts::registry_images(&parts),
        app_images: AppImages { auth: parts.auth, web: parts.web, tokens: parts.tokens },
        bin: site.join(site::PROGRAMS),
    })
}

/// A line an artifact, for people.
impl fmt::Display for Artifacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "served from {}", self.dir.display())?;
        for pin in &self.pins {
            let Pin { name, version, path, size, sha256, .. } = pin;
            writeln!(f, "  {name} {version}  {path}  {} MiB  sha256:{}", size >> 20, &sha256[..12])?;
        }
        for RegistryImage { tar, name } in &self.images {
            writeln!(f, "registry: {name} from {}", tar.display())?;
        }
        writeln!(f, "application: {} {}", self.app_images.auth.display(), self.app_images.web.display())?;
        writeln!(f, "programs: {}", self.bin.display())
    }
}
