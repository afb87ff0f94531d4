//! The root file system that hosts start from, made once and kept.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};

use super::place::{Place, clone};

const RECIPE: &str = include_str!("../../../tests/rig/host/root.sh");

/// The cached root file system; makes it if its recipe is new, which takes half a minute or more.
pub fn root(place: &Place) -> Result<PathBuf> {
    let key: String = Sha256::digest(RECIPE).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let made = place.cache.join(format!("rootfs-{key}"));
    if made.exists() {
        return Ok(made);
    }
    println!("making the hosts' root file system in {}", made.display());
    fs::create_dir_all(&place.cache)?;
    // Renamed when whole: a run that was cut leaves nothing that looks ready.
    let half = made.with_extension("half");
    if half.exists() {
        fs::remove_dir_all(&half).with_context(|| format!("removing {}", half.display()))?;
    }
    let status = Command::new("sh").arg(clone().join("tests/rig/host/root.sh")).arg(&half).status()?;
    ensure!(status.success(), "mmdebstrap could not make {}: {status}", half.display());
    fs::rename(&half, &made)?;
    Ok(made)
}
