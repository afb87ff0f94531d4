//! What stands in for the download sites: a folder over HTTP and HTTPS, and an image registry.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::ca::Ca;
use super::daemon::Daemon;
use super::network::{BRIDGE, inside};
use super::place::Place;
use crate::build::{Artifacts, RegistryImage};
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

/// Serves what was built, by links, so that a test's own additions never reach the cache.
pub fn up(place: &Place, ca: &Ca, artifacts: &Artifacts) -> Result<()> {
    let folder = folder(place)?;
    for entry in fs::read_dir(&artifacts.dir)? {
        let entry = entry?;
        let link = folder.join(entry.file_name());
        if fs::read_link(&link).ok() != Some(entry.path()) {
            let _ = fs::remove_file(&link);
            symlink(entry.path(), link)?;
        }
    }
    if Daemon::find(place, "serve")?.is_some() {
        return Ok(());
    }
    let mut serve = inside(&artifacts.bin.join("serve").to_string_lossy());
    serve.arg("-folder").arg(folder).args(["-http", &format!("{BRIDGE}:{HTTP}"), "-https", &format!("{BRIDGE}:{HTTPS}")]);
    serve.arg("-certificate").arg(&ca.certificate).arg("-key").arg(&ca.key);
    let daemon = Daemon::start(place, "serve", &serve)?;
    daemon.listens(place, HTTP)?;
    daemon.listens(place, HTTPS)
}

/// Starts the registry unless it runs, and puts in what it lacks of `images`.
pub fn registry_up(place: &Place, images: &[RegistryImage]) -> Result<()> {
    let folder = place.folder("registry")?;
    if Daemon::find(place, "registry")?.is_none() {
        let config = folder.join("config.yml");
        let storage = folder.join("images");
        let text = format!(
            "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: {BRIDGE}:{REGISTRY}\n",
            storage.display()
        );
        fs::write(&config, text)?;
        let mut registry = inside("docker-registry");
        registry.arg("serve").arg(config);
        Daemon::start(place, "registry", &registry)?.listens(place, REGISTRY)?;
    }
    for image in images {
        let pushed = folder.join(image.name.replace('/', "_"));
        if fs::read_link(&pushed).ok().as_deref() != Some(&image.tar) {
            push(image)?;
            let _ = fs::remove_file(&pushed);
            symlink(&image.tar, pushed)?;
        }
    }
    Ok(())
}

fn push(RegistryImage { tar, name }: &RegistryImage) -> Result<()> {
    let (_, path) = name.split_once('/').with_context(|| format!("{name} names no registry"))?;
    let mut skopeo = inside("skopeo");
    skopeo.args(["copy", "--quiet", "--insecure-policy", "--dest-tls-verify=false"]);
    skopeo.arg(format!("docker-archive:{}:{name}", tar.display())).arg(format!("docker://{BRIDGE}:{REGISTRY}/{path}"));
    run(&mut skopeo).map(drop)
}
