//! What is left of a dead host in the machine's cgroups.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use crate::run::until;

const ROOT: &str = "/sys/fs/cgroup";

/// Removes the cgroups of `host` in every hierarchy; waits for processes that still die.
pub fn remove(host: &str) -> Result<()> {
    for hierarchy in fs::read_dir(ROOT)? {
        let rig = hierarchy?.path().join("bedplate-rig");
        until(&format!("the cgroups of {host} to empty"), Duration::from_secs(20), || {
            Ok(removed(&rig.join(host)).then_some(()))
        })?;
        // The last host's removal takes the rig's own along; with others left it fails, as it should.
        let _ = fs::remove_dir(&rig);
    }
    Ok(())
}

/// A cgroup is a folder whose files can't be removed and go with it.
fn removed(folder: &Path) -> bool {
    let children = fs::read_dir(folder).into_iter().flatten().flatten();
    let folders = children.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    // Counted, not short-circuited: a busy one shall not keep its neighbours.
    let busy = folders.filter(|entry| !removed(&entry.path())).count();
    busy == 0 && (fs::remove_dir(folder).is_ok() || !folder.exists())
}
