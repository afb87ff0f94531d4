//! Replacing the operator's kubeconfig: with a backup, at 0600 from the first byte, atomically.

use std::io::Write;

use crate::model::{Failure, KubeconfigMerge};

/// Writes the merged file; what was there before is kept beside it as `<name>.bedplate-backup`.
///
/// # Errors
/// The folder or the file can't be written.
pub fn replace(merge: &KubeconfigMerge) -> Result<(), Failure> {
    let path = &merge.path;
    let failed = |error: std::io::Error| {
        Failure::new(format!("write {}", path.display()), error.to_string(), "make the folder writable, or set kubeconfig.path")
    };
    let folder = path.parent().ok_or_else(|| failed(std::io::Error::other("it has no folder")))?;
    std::fs::create_dir_all(folder).map_err(failed)?;
    if path.exists() {
        let mut backup = path.clone().into_os_string();
        backup.push(".bedplate-backup");
        let before = std::fs::read(path).map_err(failed)?;
        write(std::path::Path::new(&backup), folder, &before).map_err(failed)?;
    }
    write(path, folder, merge.content.expose()).map_err(failed)
}

/// `NamedTempFile` is made at 0600, and keeps that mode when it gets its name.
fn write(path: &std::path::Path, folder: &std::path::Path, bytes: &[u8]) -> std::io::Result<()> {
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
    use crate::model::Secret;

    #[test]
    fn the_old_file_is_kept_and_the_new_one_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".kube/config");
        let merge = |text: &str| KubeconfigMerge { path: path.clone(), content: Secret::new(text) };
        replace(&merge("one")).unwrap();
        replace(&merge("two")).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(std::fs::read_to_string(path.with_file_name("config.bedplate-backup")).unwrap(), "one");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
