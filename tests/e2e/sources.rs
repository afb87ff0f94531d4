//! Images from wherever they may lie: archives of skopeo's, a real Podman behind both of its names, a registry that wants a password. What
//! counts is containerd's own word for what arrived.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Context;
use super::flow::{bedplate as plain, ended};
use crate::bench::Bench;
use crate::rig::inside;
use crate::run::{Ended, finish, run, until};

const INVENTORY: &str = "sources.toml";
/// Docker, too, speaks to a registry of its own machine without TLS.
const REGISTRY: &str = "127.0.0.1:5001";
const WHO: &str = "puller:pull-canary";
/// `htpasswd -Bbn puller pull-canary`.
const HTPASSWD: &str = "puller:$2y$05$w4HCjG5EfJ5p4buRNqMbY.suarDw.N09nOf5.v59SqotzpAIxWw4.\n";
/// Of the image that is made by a command.
const BUILD: &str =
    "rm -rf dist/source-built && skopeo --insecure-policy copy --quiet oci:dist/source-gzip oci:dist/source-built:docker.io/source/built:1";
const ENOUGH: Duration = Duration::from_secs(120);

/// Every source to one host; then an image that changed in Podman, and nothing else.
pub fn sources(context: &Context) -> Result<()> {
    let bench = context.converged()?;
    let scene = Scene::set(bench)?;
    let tried = scene.tried(bench);
    drop(scene);
    let names = "k3s ctr images ls -q | grep -E '/source/|^localhost/' | xargs -r k3s ctr images rm >/dev/null";
    bench.look(names)?;
    tried?;
    ended(&plain(bench, &["plan", "inventory.toml"])?, 0)
}

/// Podman and a registry, which end with it, and what they hold.
struct Scene {
    podman: Child,
    registry: Child,
    /// Podman's store and socket, the registry's files.
    folder: tempfile::TempDir,
    /// The operator's, for docker's credentials.
    docker: PathBuf,
    /// Name on the host -> config digest.
    wanted: BTreeMap<String, String>,
}

impl Scene {
    fn set(bench: &Bench<'_>) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("sources").tempdir_in("/run")?;
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("podman"))?;
        fs::write(at("htpasswd"), HTPASSWD)?;
        let config = format!(
            "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: {REGISTRY}\nauth:\n  htpasswd:\n    realm: rig\n    path: {}\n",
            at("blobs").display(),
            at("htpasswd").display()
        );
        fs::write(at("registry.yml"), config)?;
        let registry = quiet(inside("docker-registry").arg("serve").arg(at("registry.yml")))?;
        let podman = quiet(
            podman(folder.path()).args(["system", "service", "--time", "0"]).arg(format!("unix://{}", at("podman/podman.sock").display())),
        )?;
        let docker = bench.rig.operator.home().join(".docker");
        let mut scene = Self { podman, registry, folder, docker, wanted: BTreeMap::new() };
        until("podman's socket", ENOUGH, || Ok(scene.at("podman/podman.sock").exists().then_some(())))?;
        scene.fill(bench)?;
        bench.rig.operator.own(scene.folder.path(), 0o755)?;
        bench.rig.operator.own_all(&scene.at("podman"))?;
        Ok(scene)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Puts an image everywhere, under a name that says where.
    fn fill(&mut self, bench: &Bench<'_>) -> Result<()> {
        let dist = bench.project.path("dist");
        let from = format!("docker-archive:{}", dist.join("web.tar").display());
        let to = |kind: &str, name: &str, called: &str| format!("{kind}:{}:{called}", dist.join(name).display());
        let archive = to("docker-archive", "source.tar", "docker.io/source/archive:1");
        skopeo(&[&from, &archive])?;
        self.wants("docker.io/source/archive:1", &archive)?;
        let gzip = to("oci", "source-gzip", "docker.io/source/gzip:1");
        skopeo(&[&from, &gzip])?;
        self.wants("docker.io/source/gzip:1", &gzip)?;
        let zstd = to("oci", "source-zstd", "docker.io/source/zstd:1");
        skopeo(&["--dest-compress-format", "zstd", &from, &zstd])?;
        self.wants("docker.io/source/zstd:1", &zstd)?;
        let multi = two_platforms(&dist.join("source-gzip"), &dist.join("source-multi"), "docker.io/source/multi:1")?;
        self.wanted.insert("docker.io/source/multi:1".into(), multi.clone());
        let pushed = format!("docker://{REGISTRY}/source/multi:1");
        let oci = to("oci", "source-multi", "docker.io/source/multi:1");
        skopeo(&["--all", "--dest-tls-verify=false", "--dest-creds", WHO, &oci, &pushed])?;
        self.wanted.insert(format!("{REGISTRY}/source/multi:1"), multi);
        for name in ["podman", "docker"] {
            let name = format!("localhost/{name}:1");
            let id = self.engine(&["load", "--quiet", "--input", &dist.join("auth.tar").display().to_string()])?;
            let loaded = id.trim().rsplit(' ').next().unwrap_or_default().to_owned();
            self.engine(&["tag", &loaded, &name])?;
            self.wanted.insert(name, self.id(&loaded)?);
        }
        self.wanted.insert("docker.io/source/built:1".into(), self.wanted["docker.io/source/gzip:1"].clone());
        Ok(())
    }

    /// Podman itself, past its socket.
    fn engine(&self, arguments: &[&str]) -> Result<String> {
        run(podman(self.folder.path()).args(arguments))
    }

    fn id(&self, image: &str) -> Result<String> {
        Ok(format!("sha256:{}", self.engine(&["image", "inspect", "--format", "{{.Id}}", image])?.trim()))
    }

    /// The image is known by its config, as skopeo reads it.
    fn wants(&mut self, name: &str, place: &str) -> Result<()> {
        let manifest: Value = serde_json::from_str(&run(inside("skopeo").args(["inspect", "--raw", place]))?)?;
        let id = manifest["config"]["digest"].as_str().context("a manifest names its config")?;
        self.wanted.insert(name.into(), id.into());
        Ok(())
    }

    fn tried(&self, bench: &Bench<'_>) -> Result<()> {
        self.describe(bench)?;
        let refused = self.bedplate(bench, &["plan", INVENTORY, "--step", "images"])?;
        ensure!(refused.stdout.contains(&format!("`docker login {REGISTRY}`")), "without a password: {}", refused.stdout);
        self.log_in(bench)?;

        let unbuilt = self.bedplate(bench, &["plan", INVENTORY, "--step", "images"])?;
        ended(&unbuilt, 1)?;
        ensure!(unbuilt.stdout.contains("makes it, which bootstrap runs before it looks"), "{}", unbuilt.stdout);
        run(bench.rig.operator.command("sh").args(["-c", BUILD]).current_dir(&bench.project.folder))?;
        let plan = self.bedplate(bench, &["plan", INVENTORY, "--step", "images"])?;
        ended(&plan, 2)?;
        ensure!(plan.stdout.contains("import image docker.io/source/multi:1"), "{}", plan.stdout);
        ensure!(cached(bench)? == [2], "plan fetched more than a manifest and a config: {:?}", cached(bench)?);
        ended(&self.bedplate(bench, &["bootstrap", INVENTORY])?, 0)?;
        self.arrived(bench, &self.wanted)?;
        let again = self.bedplate(bench, &["bootstrap", INVENTORY])?;
        ended(&again, 0)?;
        ensure!(again.stdout.contains("nothing was changed, nothing was restarted"), "{}", again.stdout);

        let other = self.engine(&["load", "--quiet", "--input", &bench.project.path("dist/web.tar").display().to_string()])?;
        let other = other.trim().rsplit(' ').next().unwrap_or_default().to_owned();
        self.engine(&["tag", &other, "localhost/podman:1"])?;
        let changed = self.bedplate(bench, &["bootstrap", INVENTORY])?;
        ended(&changed, 0)?;
        ensure!(changed.stdout.contains("1 action was performed"), "{}", changed.stdout);
        self.arrived(bench, &BTreeMap::from([("localhost/podman:1".to_owned(), self.id(&other)?)]))?;
        for said in [&refused, &plan, &again, &changed] {
            ensure!(!said.stdout.contains("pull-canary") && !said.stderr.contains("pull-canary"), "the password is shown");
        }
        Ok(())
    }

    /// The shop's inventory with an image of each source.
    fn describe(&self, bench: &Bench<'_>) -> Result<()> {
        let mut inventory = bench.project.inventory.clone();
        let images = format!(
            "archive = \"dist/source.tar\"\ngzip = \"dist/source-gzip\"\nzstd = {{ archive = \"dist/source-zstd\" }}\nmulti = \"dist/source-multi\"\n\
             built = {{ archive = \"dist/source-built\", build = \"{BUILD}\" }}\npodman = {{ podman = \"localhost/podman:1\" }}\n\
             docker = {{ docker = \"localhost/docker:1\" }}\nregistry = {{ registry = \"{REGISTRY}/source/multi:1\" }}\n"
        );
        let images: toml::Table = images.parse()?;
        inventory.get_mut("images").and_then(toml::Value::as_table_mut).context("the inventory has images")?.extend(images);
        fs::write(bench.project.path(INVENTORY), toml::to_string(&inventory)?)?;
        bench.rig.operator.own_all(&bench.project.folder)
    }

    /// What `docker login` leaves.
    fn log_in(&self, bench: &Bench<'_>) -> Result<()> {
        use base64::Engine as _;
        fs::create_dir_all(&self.docker)?;
        let auth = base64::engine::general_purpose::STANDARD.encode(WHO);
        fs::write(self.docker.join("config.json"), json!({ "auths": { REGISTRY: { "auth": auth } } }).to_string())?;
        bench.rig.operator.own_all(&self.docker)
    }

    /// The tool, which finds Podman under both of its names.
    fn bedplate(&self, bench: &Bench<'_>, arguments: &[&str]) -> Result<Ended> {
        let runtime = format!("XDG_RUNTIME_DIR={}", self.folder.path().display());
        let docker = format!("DOCKER_HOST=unix://{}", self.at("podman/podman.sock").display());
        finish(&mut bench.program("env", &[&[runtime.as_str(), &docker, "bedplate"], arguments].concat()), 3 * ENOUGH)
    }

    /// containerd, asked by crictl: each name, its config, and that kubelet spares it.
    fn arrived(&self, bench: &Bench<'_>, wanted: &BTreeMap<String, String>) -> Result<()> {
        let listed: Value = serde_json::from_str(&bench.look("k3s crictl images -o json")?)?;
        let images = listed["images"].as_array().context("crictl lists images")?;
        for (name, id) in wanted {
            let named = |image: &&Value| image["repoTags"].as_array().is_some_and(|tags| tags.iter().any(|tag| tag == name.as_str()));
            let image = images.iter().find(named).with_context(|| format!("{name} is not on the host"))?;
            ensure!(image["id"] == id.as_str() && image["pinned"] == true, "{name} must be {id}: {image}");
        }
        Ok(())
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        for child in [&mut self.podman, &mut self.registry] {
            let _ = child.kill();
            let _ = child.wait();
        }
        let _ = fs::remove_dir_all(&self.docker);
    }
}

/// How many blobs each of the operator's cached layouts has; an archive counts for a hundred.
fn cached(bench: &Bench<'_>) -> Result<Vec<usize>> {
    let mut counts = Vec::new();
    for source in fs::read_dir(bench.rig.operator.home().join(".cache/bedplate/images"))? {
        let source = source?.path();
        let archives = fs::read_dir(&source)?.flatten().filter(|entry| entry.path().extension().is_some_and(|end| end == "tar")).count();
        let blobs = fs::read_dir(source.join("blobs/sha256")).map_or(0, Iterator::count);
        counts.push(blobs + 100 * archives);
    }
    Ok(counts)
}

/// An OCI folder whose index leads to a second one: the image, the same for arm64, and an attestation.
fn two_platforms(from: &Path, to: &Path, called: &str) -> Result<String> {
    run(Command::new("cp").arg("--recursive").arg(from).arg(to))?;
    let read = |digest: &Value| -> Result<Value> {
        let hex = digest.as_str().and_then(|digest| digest.strip_prefix("sha256:")).context("a digest")?;
        Ok(serde_json::from_slice(&fs::read(to.join("blobs/sha256").join(hex))?)?)
    };
    let put = |text: &Value| -> Result<Value> {
        let bytes = text.to_string();
        let hex = format!("{:x}", Sha256::digest(&bytes));
        fs::write(to.join("blobs/sha256").join(&hex), &bytes)?;
        Ok(json!({ "digest": format!("sha256:{hex}"), "size": bytes.len() }))
    };
    let kind = |mut entry: Value, kind: &str| {
        entry["mediaType"] = format!("application/vnd.oci.image.{kind}.v1+json").into();
        entry
    };
    let index: Value = serde_json::from_slice(&fs::read(to.join("index.json"))?)?;
    let here = index["manifests"][0].clone();
    let manifest = read(&here["digest"])?;
    let mut config = read(&manifest["config"]["digest"])?;
    config["architecture"] = "arm64".into();
    let mut other = manifest.clone();
    other["config"] = kind(put(&config)?, "config");
    let for_platform = |entry: &Value, os: &str, architecture: &str| {
        let mut entry = kind(json!({ "digest": entry["digest"], "size": entry["size"] }), "manifest");
        entry["platform"] = json!({ "os": os, "architecture": architecture });
        entry
    };
    let other = put(&other)?;
    let entries =
        [for_platform(&other, "linux", "arm64"), for_platform(&other, "unknown", "unknown"), for_platform(&here, "linux", "amd64")];
    let list = kind(json!({ "schemaVersion": 2, "manifests": entries }), "index");
    let mut top = kind(put(&list)?, "index");
    top["annotations"] = json!({ "org.opencontainers.image.ref.name": called });
    fs::write(to.join("index.json"), json!({ "schemaVersion": 2, "manifests": [top] }).to_string())?;
    Ok(manifest["config"]["digest"].as_str().context("a manifest names its config")?.to_owned())
}

/// A Podman that keeps everything in one folder, and starts no container.
fn podman(folder: &Path) -> Command {
    let mut podman = inside("podman");
    podman.arg("--root").arg(folder.join("store")).arg("--runroot").arg(folder.join("run"));
    podman.args(["--storage-driver", "vfs", "--cgroup-manager", "cgroupfs", "--events-backend", "file"]);
    podman
}

fn skopeo(arguments: &[&str]) -> Result<()> {
    run(inside("skopeo").args(["--insecure-policy", "copy", "--quiet"]).args(arguments)).map(drop)
}

fn quiet(command: &mut Command) -> Result<Child> {
    Ok(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?)
}
