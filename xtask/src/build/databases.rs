//! The image in which the rig's databases run. Only their tests want it, so it is no part of the site.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, ensure};

use super::cache::{Cache, Key};
use super::image::{Archive, Config};

const RECIPE: &str = include_str!("../../../tests/rig/databases.sh");
const FILE: &str = "databases.tar";

/// A docker-archive of `rig/databases:1`: Debian's PostgreSQL and MariaDB with their clients. Takes a minute unless it is in the cache.
pub fn databases() -> Result<PathBuf> {
    let key = Key::default().text(RECIPE).text(include_str!("image.rs"));
    let made = Cache::open()?.entry("databases", key, |out| {
        let (script, root) = (out.join("databases.sh"), out.join("root.tar"));
        std::fs::write(&script, RECIPE)?;
        let status = Command::new("sh").args([&script, &root]).status()?;
        ensure!(status.success(), "mmdebstrap could not make {}: {status}", root.display());
        let mut archive = Archive::create(&out.join(FILE))?;
        let layer = archive.root(&root)?;
        archive.image("rig/databases:1", &layer, &Config { entrypoint: &["/bin/sh"], user: "" })?;
        archive.finish()?;
        std::fs::remove_file(root).map_err(Into::into)
    })?;
    Ok(made.join(FILE))
}
