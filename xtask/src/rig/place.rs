//! Where the rig keeps its things.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Everything that lives as long as the rig is up; root's own, so nobody can put a link there first.
const STATE: &str = "/var/lib/bedplate-rig";

/// The rig's folders.
#[derive(Clone)]
pub struct Place {
    /// Removed by `rig down`.
    pub state: PathBuf,
    /// Kept, and keyed by content.
    pub cache: PathBuf,
}

impl Place {
    /// The folders of this machine; makes none of them.
    pub fn here() -> Result<Self> {
        Ok(Self { state: STATE.into(), cache: cache()? })
    }

    /// A folder below the state folder, made if need be.
    pub fn folder(&self, name: &str) -> Result<PathBuf> {
        let path = self.state.join(name);
        fs::create_dir_all(&path).with_context(|| format!("making {}", path.display()))?;
        Ok(path)
    }
}

/// `${XDG_CACHE_HOME:-~/.cache}/bedplate-rig`, for everything that is worth keeping between runs.
pub fn cache() -> Result<PathBuf> {
    let base = std::env::var_os("XDG_CACHE_HOME").filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = base.or_else(|| std::env::home_dir().map(|home| home.join(".cache")));
    Ok(base.context("neither XDG_CACHE_HOME nor HOME is set")?.join("bedplate-rig"))
}

/// The clone that this was built from.
pub fn clone() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}
