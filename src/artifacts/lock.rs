//! `bedplate.lock`: pins, beside the inventory. The user commits it.

use std::io::Write;
use std::path::PathBuf;

use crate::model::{Exit, Failure, Pin, Pins};

const HEAD: &str =
    "# Pins of what bedplate installs. Written by bedplate at the first meeting with an artifact; commit it with the inventory.\n\n";

/// The lock file of one inventory.
#[derive(Clone, Debug)]
pub struct LockFile {
    path: PathBuf,
}

impl LockFile {
    /// The file beside the inventory.
    #[must_use]
    pub fn beside(inventory: &std::path::Path) -> Self {
        Self { path: inventory.with_file_name("bedplate.lock") }
    }

    /// What it holds; nothing if it isn't there.
    ///
    /// # Errors
    /// It can't be read, or is no lock file.
    pub fn read(&self) -> Result<Pins, Failure> {
        let tried = format!("read {}", self.path.display());
        let text = match std::fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Pins::default()),
            Err(error) => return Err(Failure::new(tried, error.to_string(), "make it readable").exiting(Exit::BadInventory)),
        };
        toml::from_str(&text).map_err(|error| {
            let cure = "restore it from version control, or delete the entry: it is then learnt again over verified TLS";
            Failure::new(tried, error.to_string(), cure).exiting(Exit::BadInventory)
        })
    }

    /// Adds a pin, atomically.
    ///
    /// # Errors
    /// It can't be read or written.
    pub fn add(&self, pin: Pin) -> Result<(), Failure> {
        let mut pins = self.read()?;
        pins.artifacts.retain(|old| old.artifact != pin.artifact);
        pins.artifacts.push(pin);
        let failed = |why: String| Failure::new(format!("write {}", self.path.display()), why, "make its folder writable");
        let text = toml::to_string(&pins).map_err(|error| failed(error.to_string()))?;
        let folder = self.path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(std::path::Path::new("."));
        let mut temp = tempfile::NamedTempFile::new_in(folder).map_err(|error| failed(error.to_string()))?;
        temp.write_all(HEAD.as_bytes()).and_then(|()| temp.write_all(text.as_bytes())).map_err(|error| failed(error.to_string()))?;
        readable(temp.as_file()).and_then(|()| temp.as_file().sync_all()).map_err(|error| failed(error.to_string()))?;
        temp.persist(&self.path).map_err(|error| failed(error.to_string()))?;
        Ok(())
    }
}

/// A lock file holds no secret; everybody who may read the inventory's folder may read it.
fn readable(file: &std::fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ArtifactRef;

    #[test]
    fn a_pin_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let lock = LockFile::beside(&folder.path().join("inventory.toml"));
        assert_eq!(lock.read().unwrap(), Pins::default());
        let artifact = ArtifactRef { name: "k3s".into(), version: "v1.35.5+k3s1".into(), arch: Some("amd64".into()) };
        let pin = |sha256: &str| Pin {
            artifact: artifact.clone(),
            url: "https://mirror.example/k3s".into(),
            size: 3,
            sha256: sha256.into(),
            learnt: "by the test".into(),
            at: "2026-01-01T00:00:00Z".into(),
        };
        lock.add(pin("aa")).unwrap();
        lock.add(pin("bb")).unwrap();
        assert_eq!(lock.read().unwrap().artifacts, vec![pin("bb")]);
    }
}
