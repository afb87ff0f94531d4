//! A folder for sockets and known_hosts that lives as long as a connection.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use tempfile::{Builder, TempDir};

use super::error::Error;

/// Longest path of our own that still leaves room for `/ssh-XXXXXX/master` and the 17 characters that ssh adds while it
/// binds: a socket's path holds 104 bytes on macOS, 108 on Linux.
const LONGEST: usize = 104 - 18 - 17 - 1;

/// Makes a folder of mode 0700 under `XDG_RUNTIME_DIR`, or under the folder for temporary files where that is absent or too long.
pub(super) fn folder() -> Result<TempDir, Error> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_dir());
    let places = runtime.into_iter().chain([std::env::temp_dir(), PathBuf::from("/tmp")]);
    let name = "bedplate-123456".len() + 1;
    let parent = places.into_iter().find(|path| path.as_os_str().len() + name <= LONGEST).unwrap_or_else(|| "/tmp".into());
    Builder::new()
        .prefix("bedplate-")
        .permissions(std::fs::Permissions::from_mode(0o700))
        .tempdir_in(&parent)
        .map_err(|error| Error::here(&format!("make a folder in {}", parent.display()), &error))
}
