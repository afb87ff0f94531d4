//! Replacing the operator's kubeconfig: with a backup, at 0600 from the first byte, atomically.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use crate::model::{Failure, KubeconfigMerge, Secret};

/// Writes the merged file, through a link if there is one; what was there before is kept beside it as `<name>.bedplate-backup`.
///
/// # Errors
/// It is not what it was when it was looked at; the folder or the file can't be written.
pub fn replace(merge: &KubeconfigMerge) -> Result<(), Failure> {
    let path = &merge.path;
    let tried = || format!("write {}", path.display());
    let failed = |error: io::Error| Failure::new(tried(), error.to_string(), "make the folder writable, or set kubeconfig.path");
    let folder = |path: &Path| path.parent().map(Path::to_owned).ok_or_else(|| failed(io::Error::other("it has no folder")));
    fs::create_dir_all(folder(path)?).map_err(failed)?;
    let before = match fs::read(path) {
        Ok(bytes) => Some(Secret::new(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(failed(error)),
    };
    if before != merge.base {
        return Err(Failure::new(tried(), "another program has just changed it", "nothing of that is lost: run again"));
    }
    if let Some(before) = before {
        let mut backup = path.clone().into_os_string();
        backup.push(".bedplate-backup");
        write(Path::new(&backup), &folder(path)?, before.expose()).map_err(failed)?;
    }
    let real = if path.is_symlink() { fs::canonicalize(path).map_err(failed)? } else { path.clone() };
    write(&real, &folder(&real)?, merge.content.expose()).map_err(failed)
}

/// `NamedTempFile` is made at 0600, and keeps that mode when it gets its name.
fn write(path: &Path, folder: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut temp = tempfile::NamedTempFile::new_in(folder)?;
    temp.write_all(bytes)?;
    temp.as_file().sync_all()?;
    temp.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn merge(path: &Path, base: Option<&str>, text: &str) -> KubeconfigMerge {
        KubeconfigMerge { path: path.into(), base: base.map(Secret::new), content: Secret::new(text) }
    }

    #[test]
    fn the_old_file_is_kept_and_the_new_one_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".kube/config");
        replace(&merge(&path, None, "one")).unwrap();
        replace(&merge(&path, Some("one"), "two")).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(fs::read_to_string(path.with_file_name("config.bedplate-backup")).unwrap(), "one");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn what_another_program_wrote_meanwhile_is_not_lost() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        fs::write(&path, "theirs").unwrap();
        for base in [None, Some("one")] {
            let failure = replace(&merge(&path, base, "ours")).unwrap_err();
            assert!(failure.seen.contains("another program"), "{failure}");
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "theirs");
    }

    #[test]
    fn a_link_stays_one() {
        let folder = tempfile::tempdir().unwrap();
        let (path, real) = (folder.path().join("config"), folder.path().join("dotfiles/kube"));
        fs::create_dir(real.parent().unwrap()).unwrap();
        fs::write(&real, "one").unwrap();
        std::os::unix::fs::symlink("dotfiles/kube", &path).unwrap();
        replace(&merge(&path, Some("one"), "two")).unwrap();
        assert_eq!((path.is_symlink(), fs::read_to_string(&real).unwrap().as_str()), (true, "two"));
        fs::remove_file(&real).unwrap();
        // It leads nowhere now.
        assert!(replace(&merge(&path, None, "three")).is_err() && path.is_symlink());
    }
}
