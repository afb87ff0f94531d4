//! Images of a Docker or Podman that runs on this machine, by its API socket (Docker Engine API: ImageInspect, ImageGet; Podman serves
//! the same two).

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::{Client, Response, StatusCode};
use serde::Deserialize;

use super::layout::CAP;
use crate::model::causes;

/// Podman's socket, under a user's runtime folder or root's.
const PODMAN: &str = "podman/podman.sock";
/// How long an engine may be silent.
const SILENCE: Duration = Duration::from_secs(30);
/// The same while it makes an archive: Docker may write it to a file of its own first.
const BEGIN: Duration = Duration::from_secs(300);

/// A socket that answers as Docker does.
pub(super) struct Engine {
    /// What the user calls it.
    name: &'static str,
    socket: PathBuf,
}

/// What an engine says of an image.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Inspected {
    /// The config's digest, unless there is a `descriptor`.
    pub(super) id: String,
    pub(super) architecture: String,
    /// Bytes, unpacked.
    pub(super) size: u64,
    /// Where Docker keeps images in containerd's store, an id is that of a manifest or an index, and this tells of it.
    #[serde(default)]
    pub(super) descriptor: Option<serde_json::Value>,
}

impl Engine {
    /// Docker: at `DOCKER_HOST`, else where it listens by default.
    pub(super) fn docker(variable: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let socket = match variable("DOCKER_HOST").filter(|host| !host.is_empty()) {
            None => "/var/run/docker.sock".into(),
            Some(host) => host.strip_prefix("unix://").map(PathBuf::from).ok_or_else(|| {
                let scheme = host.split("://").next().unwrap_or_default();
                format!("DOCKER_HOST is {scheme}://…, and bedplate asks Docker by a unix:// socket only")
            })?,
        };
        Ok(Self { name: "docker", socket })
    }

    /// Podman: the user's own if it listens, else root's.
    pub(super) fn podman(variable: impl Fn(&str) -> Option<String>) -> Self {
        let own = variable("XDG_RUNTIME_DIR").map(|folder| Path::new(&folder).join(PODMAN)).filter(|socket| socket.exists());
        Self { name: "podman", socket: own.unwrap_or_else(|| Path::new("/run").join(PODMAN)) }
    }

    /// What it says of an image; none: it has none of that name.
    pub(super) async fn inspect(&self, image: &str) -> Result<Option<Inspected>, String> {
        let mut response = self.get(&format!("images/{image}/json"), SILENCE).await?;
        let status = response.status();
        let text = self.text(&mut response).await?;
        match status {
            StatusCode::OK => serde_json::from_slice(&text).map(Some).map_err(|error| format!("{} of {image}: {error}", self.name)),
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(self.refused(status, &text)),
        }
    }

    /// Writes an image as a docker-archive.
    pub(super) async fn save(&self, image: &str, into: &mut (dyn Write + Send), sent: &(dyn Fn(u64) + Send + Sync)) -> Result<(), String> {
        let mut response = self.get(&format!("images/{image}/get"), BEGIN).await?;
        let status = response.status();
        if status != StatusCode::OK {
            return Err(self.refused(status, &self.text(&mut response).await?));
        }
        let mut size = 0;
        while let Some(chunk) = response.chunk().await.map_err(|error| self.lost(&error))? {
            into.write_all(&chunk).map_err(|error| format!("write the archive of {image}: {error}"))?;
            size += chunk.len() as u64;
            sent(size);
        }
        Ok(())
    }

    async fn get(&self, path: &str, silence: Duration) -> Result<Response, String> {
        let client =
            Client::builder().unix_socket(self.socket.as_path()).read_timeout(silence).build().map_err(|error| self.lost(&error))?;
        client.get(format!("http://{}/{path}", self.name)).send().await.map_err(|error| self.lost(&error))
    }

    /// A body that must not be long.
    async fn text(&self, response: &mut Response) -> Result<Vec<u8>, String> {
        let mut text = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.lost(&error))? {
            text.extend_from_slice(&chunk);
            if text.len() as u64 > CAP {
                return Err(format!("{} says more than {CAP} bytes", self.name));
            }
        }
        Ok(text)
    }

    fn lost(&self, error: &reqwest::Error) -> String {
        let last = causes(error).last().map(ToString::to_string).unwrap_or_default();
        format!("{} can't be asked at {}: {last}", self.name, self.socket.display())
    }

    fn refused(&self, status: StatusCode, text: &[u8]) -> String {
        #[derive(Deserialize)]
        struct Said {
            message: String,
        }
        let said = serde_json::from_slice(text).map_or_else(|_| String::new(), |said: Said| said.message);
        format!("{} says {status}: {said}", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn docker_is_found_by_its_variable() {
        let at = |host: Option<&str>| Engine::docker(|_| host.map(Into::into)).map(|engine| engine.socket);
        assert_eq!(at(None), Ok("/var/run/docker.sock".into()));
        assert_eq!(at(Some("")), Ok("/var/run/docker.sock".into()));
        assert_eq!(at(Some("unix:///home/op/docker.sock")), Ok("/home/op/docker.sock".into()));
        let refused = at(Some("ssh://op@secret.example")).unwrap_err();
        assert!(refused.contains("ssh://…") && !refused.contains("secret"), "{refused}");
    }

    #[test]
    fn podman_of_the_user_goes_before_roots() {
        let folder = tempfile::tempdir().unwrap();
        let at = || Engine::podman(|_| Some(folder.path().display().to_string())).socket;
        assert_eq!(at(), Path::new("/run/podman/podman.sock"));
        std::fs::create_dir(folder.path().join("podman")).unwrap();
        std::fs::write(folder.path().join(PODMAN), "").unwrap();
        assert_eq!(at(), folder.path().join(PODMAN));
    }
}
