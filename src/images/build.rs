//! The commands that make images.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use crate::model::Failure;

/// How long one may take.
const LIMIT: Duration = Duration::from_secs(3600);

/// Has `sh` run a command in `folder`. What it says goes to stderr as it comes; it is asked nothing.
///
/// # Errors
/// It fails, or takes more than an hour.
pub async fn build(command: &str, folder: &Path) -> Result<(), Failure> {
    run(command, folder, LIMIT)
        .await
        .map_err(|seen| Failure::new(format!("run `{command}`"), seen, "see above what it says; no host was changed"))
}

async fn run(command: &str, folder: &Path, limit: Duration) -> Result<(), String> {
    let mut sh = Command::new("sh");
    sh.args(["-c", command]).current_dir(folder).stdin(Stdio::null()).stdout(std::io::stderr()).kill_on_drop(true);
    let mut child = sh.spawn().map_err(|error| error.to_string())?;
    match tokio::time::timeout(limit, child.wait()).await {
        Err(_) => Err(format!("it did not end within {} s", limit.as_secs())),
        Ok(Err(error)) => Err(error.to_string()),
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(format!("it ended with {status}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_command_runs_in_its_folder_and_its_failure_is_ours() {
        let folder = tempfile::tempdir().unwrap();
        build("echo made > image.tar", folder.path()).await.unwrap();
        assert_eq!(std::fs::read_to_string(folder.path().join("image.tar")).unwrap(), "made\n");
        let failed = build("exit 3", folder.path()).await.unwrap_err();
        assert!(failed.tried == "run `exit 3`" && failed.seen.contains("exit status: 3"), "{failed:?}");
        assert_eq!(run("sleep 60", folder.path(), Duration::from_millis(50)).await, Err("it did not end within 0 s".into()));
    }
}
