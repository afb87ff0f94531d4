//! What stands in for the download sites: a folder over HTTP and HTTPS, and an image registry.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::ca::Ca;
use super::daemon::Daemon;
use super::network::{BRIDGE, inside};
use super::place::{Place, clone};
use crate::run::run;

const HTTP: u16 = 8000;
const HTTPS: u16 = 8443;
const REGISTRY: u16 = 5000;

/// Where the artifacts are served in clear: for what is pinned already.
pub fn plain() -> String {
    format!("http://{BRIDGE}:{HTTP}")
}

/// Where the artifacts are served over TLS with the rig's certificate.
pub fn secure() -> String {
    format!("https://{BRIDGE}:{HTTPS}")
}

/// The registry, as an endpoint for `registries.yaml`.
pub fn registry() -> String {
    format!("http://{BRIDGE}:{REGISTRY}")
}

/// The folder that is served: what a test puts here is on the sites as well.
pub fn folder(place: &Place) -> Result<PathBuf> {
    place.folder("mirror")
}

/// Serves every entry of `artifacts`, by links, so that a test's own additions never reach the cache.
pub fn up(place: &Place, ca: &Ca, artifacts: &Path) -> Result<()> {
    let folder = folder(place)?;
    for entry in fs::read_dir(artifacts)? {
        let entry = entry?;
        let link = folder.join(entry.file_name());
        if !link.exists() {
            symlink(entry.path(), link)?;
        }
    }
    if Daemon::find(place, "serve")?.is_some() {
        return Ok(());
    }
    let mut serve = inside(&program(place)?.to_string_lossy());
    serve.arg("-folder").arg(folder).args(["-http", &format!("{BRIDGE}:{HTTP}"), "-https", &format!("{BRIDGE}:{HTTPS}")]);
    serve.arg("-certificate").arg(&ca.certificate).arg("-key").arg(&ca.key);
    let daemon = Daemon::start(place, "serve", &serve)?;
    daemon.listens(place, HTTP)?;
    daemon.listens(place, HTTPS)
}

/// Starts the registry unless it runs.
pub fn registry_up(place: &Place) -> Result<()> {
    if Daemon::find(place, "registry")?.is_some() {
        return Ok(());
    }
    let folder = place.folder("registry")?;
    let config = folder.join("config.yml");
    let storage = folder.join("images");
    fs::write(
        &config,
        format!(
            "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: {BRIDGE}:{REGISTRY}\n",
            storage.display()
        ),
    )?;
    let mut registry = inside("docker-registry");
    registry.arg("serve").arg(config);
    Daemon::start(place, "registry", &registry)?.listens(place, REGISTRY)
}

/// Puts the docker-archive `tar` into the registry as `name`: `jetstack/cert-manager-controller:v1.20.3`.
pub fn push(tar: &Path, name: &str) -> Result<()> {
    let mut skopeo = inside("skopeo");
    skopeo.args(["copy", "--quiet", "--insecure-policy", "--dest-tls-verify=false"]);
    skopeo.arg(format!("docker-archive:{}", tar.display())).arg(format!("docker://{BRIDGE}:{REGISTRY}/{name}"));
    run(&mut skopeo).map(drop)
}

fn program(place: &Place) -> Result<PathBuf> {
    let program = place.folder("bin")?.join("serve");
    let mut build = Command::new("go");
    build.args(["build", "-trimpath", "-o"]).arg(&program).arg("main.go");
    run(build.current_dir(clone().join("tests/rig/serve")).env("CGO_ENABLED", "0"))?;
    Ok(program)
}
