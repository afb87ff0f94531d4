//! What the site is assembled from: each part is one file in a cache entry of its own.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::RegistryImage;
use super::cache::{Cache, Key};
use super::chart;
use super::debian;
use super::go::Go;
use super::image::{Archive, Config};
use super::payload::{self, Member};
use super::program::{self, Program};

/// Not root, in numbers: what `runAsNonRoot` asks for.
const NOBODY: &str = "65532:65532";
/// The module whose chart and programs are cert-manager's.
const CERT_MANAGER: &str = "github.com/cert-manager/cert-manager";
const TRAEFIK: &str = "github.com/traefik/traefik/v3";
/// Every CRD that Traefik's provider watches, in one file of its module.
const TRAEFIK_CRDS: &str = "docs/content/reference/dynamic-configuration/kubernetes-crd-definition-v1.yml";

/// Images of the airgap tar, named as k3s names its own: the program, the tag, the user (none: root).
const AIRGAP: [(Program, &str, &str); 4] = [
    (program::PAUSE, "rancher/mirrored-pause:3.6", "65535:65535"),
    // Binds port 53.
    (program::COREDNS, "rancher/mirrored-coredns-coredns:1.14.3", ""),
    (program::TRAEFIK, "rancher/mirrored-library-traefik:3.6.13", NOBODY),
    (program::METRICS_SERVER, "rancher/mirrored-metrics-server:v0.9.0", NOBODY),
];
/// What the hello playbook serves its page with: k3s ships it for its own chores.
const BUSYBOX: &str = "rancher/mirrored-library-busybox:1.37.0";
/// Images that cert-manager's chart names, by the program in them.
const JETSTACK: [&str; 5] = ["controller", "webhook", "cainjector", "acmesolver", "startupapicheck"];

/// The finished parts.
pub struct Parts {
    /// The node artifact.
    pub k3s: PathBuf,
    /// The images that k3s imports by itself.
    pub airgap: PathBuf,
    /// The program.
    pub helm: PathBuf,
    /// The static file server.
    pub serve: PathBuf,
    /// cert-manager's chart.
    pub chart: PathBuf,
    /// cert-manager's images.
    pub cert_manager: PathBuf,
    /// The demo application's images.
    pub auth: PathBuf,
    /// See `auth`.
    pub web: PathBuf,
    /// Services that live by a JWT key pair.
    pub tokens: PathBuf,
}

impl Parts {
    /// Builds every part that is not in the cache.
    pub fn build(cache: &Cache, rig: &Path) -> Result<Self> {
        let go = Go::new(cache, rig)?;
        Ok(Self {
            k3s: node(cache, &go)?,
            airgap: airgap(cache, &go)?,
            helm: go.build(&program::HELM_PROGRAM)?,
            serve: go.build(&program::SERVE)?,
            chart: cert_manager_chart(cache, &go)?,
            cert_manager: cert_manager_images(cache, &go)?,
            auth: application(cache, &go, &program::AUTH, "shop/auth:1.0.0")?,
            web: application(cache, &go, &program::WEB, "shop/web:1.0.0")?,
            tokens: application(cache, &go, &program::TOKENS, "shop/tokens:1.0.0")?,
        })
    }

    /// Every part, for a key.
    pub fn all(&self) -> [&Path; 8] {
        [&self.k3s, &self.airgap, &self.helm, &self.serve, &self.chart, &self.cert_manager, &self.auth, &self.web].map(PathBuf::as_path)
    }
}

/// The images of the registry, all in one archive.
pub fn registry_images(parts: &Parts) -> Vec<RegistryImage> {
    JETSTACK.map(|program| RegistryImage { tar: parts.cert_manager.clone(), name: jetstack(program) }).into()
}

fn jetstack(program: &str) -> String {
    format!("quay.io/jetstack/cert-manager-{program}:{}", chart::VERSION)
}

fn node(cache: &Cache, go: &Go<'_>) -> Result<PathBuf> {
    let node = go.build(&program::NODE)?;
    let containerd = go.build_all(&program::CONTAINERD)?;
    let debian = debian::unpack(cache)?;
    let key = recipe().path(&node).path(&containerd).path(&debian).text(go.required(TRAEFIK)?);
    file(cache, "k3s", key, |out| {
        let programs = ["containerd", "ctr", "containerd-shim-runc-v2"].map(|name| (name, containerd.join(name)));
        let plugins = debian::FILES.map(|(name, path)| (name, debian.join(path)));
        let mut members: Vec<_> =
            programs.into_iter().chain(plugins).map(|(name, source)| Member { path: format!("bin/{name}"), source, mode: 0o755 }).collect();
        members.push(Member {
            path: "manifests/traefik-crds.yaml".to_owned(),
            source: go.folder(TRAEFIK)?.join(TRAEFIK_CRDS),
            mode: 0o644,
        });
        payload::pack(&node, &members, out)
    })
}

fn airgap(cache: &Cache, go: &Go<'_>) -> Result<PathBuf> {
    let mut images = Vec::new();
    let mut key = recipe();
    for (program, name, user) in &AIRGAP {
        let file = go.build(program)?;
        key = key.path(&file).text(name).text(user);
        images.push((program.name(), file, *name, *user));
    }
    let busybox = debian::unpack(cache)?.join(debian::BUSYBOX);
    key = key.path(&busybox).text(BUSYBOX);
    file(cache, "k3s-airgap-images-amd64.tar", key, |out| {
        let mut archive = Archive::create(out)?;
        for (program, source, name, user) in &images {
            let target = format!("/{program}");
            let layer = archive.layer(&[(&target, source)])?;
            archive.image(name, &layer, &Config { entrypoint: &[&target], user })?;
        }
        // The program does what it is called.
        let layer = archive.layer(&[("/sh", &busybox), ("/httpd", &busybox)])?;
        archive.image(BUSYBOX, &layer, &Config { entrypoint: &["/sh"], user: "" })?;
        archive.finish()
    })
}

fn cert_manager_images(cache: &Cache, go: &Go<'_>) -> Result<PathBuf> {
    let program = go.build(&program::CERT_MANAGER)?;
    file(cache, "cert-manager.tar", recipe().path(&program), |out| {
        let mut archive = Archive::create(out)?;
        let layer = archive.layer(&[("/cert-manager", &program)])?;
        for name in JETSTACK {
            archive.image(&jetstack(name), &layer, &Config { entrypoint: &["/cert-manager", name], user: NOBODY })?;
        }
        archive.finish()
    })
}

fn cert_manager_chart(cache: &Cache, go: &Go<'_>) -> Result<PathBuf> {
    let key = recipe().text(chart::VERSION).text(go.required(CERT_MANAGER)?);
    file(cache, "cert-manager.tgz", key, |out| chart::package(&go.folder(CERT_MANAGER)?, out))
}

fn application(cache: &Cache, go: &Go<'_>, program: &Program, name: &str) -> Result<PathBuf> {
    let source = go.build(program)?;
    file(cache, &format!("{}.tar", program.name()), recipe().path(&source).text(name), |out| {
        let mut archive = Archive::create(out)?;
        let target = format!("/{}", program.name());
        let layer = archive.layer(&[(&target, &source)])?;
        archive.image(name, &layer, &Config { entrypoint: &[&target], user: NOBODY })?;
        archive.finish()
    })
}

/// The one file `name`, made from `key`.
fn file(cache: &Cache, name: &str, key: Key, make: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    Ok(cache.entry(name, key.text(name), |dir| make(&dir.join(name)))?.join(name))
}

/// Starts a key with the recipes themselves: an edit of them makes the parts anew, though not the programs.
fn recipe() -> Key {
    [include_str!("parts.rs"), include_str!("image.rs"), include_str!("payload.rs"), include_str!("chart.rs"), include_str!("debian.rs")]
        .iter()
        .fold(Key::default(), |key, text| key.text(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tags are written down, as k3s' image names are; the code in the images is what `go.mod` requires.
    #[test]
    fn tags_and_versions_are_those_of_go_mod() {
        let go_mod = include_str!("../../../tests/rig/go.mod");
        let tag = |repository: &str| {
            let names = AIRGAP.iter().map(|(_, name, _)| *name);
            names.filter_map(|name| name.strip_prefix(repository)?.strip_prefix(':')).next().unwrap().to_owned()
        };
        for (module, version) in [
            ("k8s.io/kubernetes", program::K3S.split('+').next().unwrap().to_owned()),
            ("helm.sh/helm/v3", program::HELM.to_owned()),
            (CERT_MANAGER, chart::VERSION.to_owned()),
            (TRAEFIK, format!("v{}", tag("rancher/mirrored-library-traefik"))),
            ("github.com/coredns/coredns", format!("v{}", tag("rancher/mirrored-coredns-coredns"))),
        ] {
            let required = format!("{module} {version}");
            let found = go_mod.lines().any(|line| line.trim().trim_end_matches(" // indirect") == required);
            assert!(found, "go.mod does not require {required}");
        }
    }
}
