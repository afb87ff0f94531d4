//! What is left of a dead host in the machine's cgroups.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use crate::run::until;

const ROOT: &str = "/sys/fs/cgroup";

/// What `boot.sh` puts hosts in.
const RIG: &str = "bedplate-rig";

/// Removes the cgroups of a dead host in every hierarchy; waits for processes that still die. Goes by the host's name alone:
/// other folders beside it may be of hosts that somebody else booted and that live.
pub fn remove(host: &str) -> Result<()> {
    remove_below(Path::new(ROOT), host)
}

fn remove_below(root: &Path, host: &str) -> Result<()> {
    // One tree at the root itself (version 2), or one for each controller below (version 1).
    let mut trees = vec![root.to_owned()];
    for entry in fs::read_dir(root)? {
        trees.push(entry?.path());
    }
    for tree in trees {
        let rig = tree.join(RIG);
        let own = rig.join(host);
        until(&format!("{} to empty", own.display()), Duration::from_secs(20), || Ok(removed(&own).then_some(())))?;
        // Only the last host's removal finds it empty, and the kernel refuses all others.
        let _ = fs::remove_dir(rig);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_neighbour_keeps_its_cgroups() {
        let root = tempfile::tempdir().unwrap();
        let rig = root.path().join("memory").join(RIG);
        for folder in ["droplet/pods/pod", "other/pods", "droplet-2"] {
            fs::create_dir_all(rig.join(folder)).unwrap();
        }
        remove_below(root.path(), "droplet").unwrap();
        assert!(!rig.join("droplet").exists());
        assert!(rig.join("other/pods").exists() && rig.join("droplet-2").exists());
    }

    #[test]
    fn the_last_host_takes_what_held_it() {
        let root = tempfile::tempdir().unwrap();
        let rig = root.path().join("memory").join(RIG);
        fs::create_dir_all(rig.join("droplet/pods")).unwrap();
        remove_below(root.path(), "droplet").unwrap();
        assert!(!rig.exists() && root.path().join("memory").exists());
    }
}
