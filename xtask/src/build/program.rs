//! The Go programs of the rig, and how each is compiled.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::cache::{Cache, Key};
use crate::run::{run, run_within};

/// Kubernetes' version as k3s shows it; the modules underneath are `v1.35.4`.
pub const K3S: &str = "v1.35.4+k3s1";
/// Helm's version, as in `go.mod`.
pub const HELM: &str = "v3.21.0";
/// Kubernetes, cold, beside other builds on two slow cores.
const LIMIT: Duration = Duration::from_secs(40 * 60);
/// Smaller programs; the same paths on every machine.
const STRIP: &str = "-s -w";

/// Where a program's source is.
enum Source {
    /// A folder of the module in `tests/rig`. Nothing outside of it but `go.mod` and `go.sum` is in the program.
    Folder(&'static str),
    /// A folder with a module of its own, built in the graph of `tests/rig` under its import path.
    Nested {
        folder: &'static str,
        package: &'static str,
    },
    /// A package of a module that `tests/rig/go.mod` requires.
    Required(&'static str),
    /// Packages of a module in its own graph, at a version.
    Released {
        packages: &'static [&'static str],
        version: &'static str,
    },
}

/// Whether a program is linked against the C library.
#[derive(Clone, Copy)]
enum Linkage {
    /// Needed by programs that run in an image of their own.
    Static,
    /// Needed by kine's SQLite.
    C,
}

/// A recipe for one program, or for several of one module.
pub struct Program {
    name: &'static str,
    source: Source,
    linkage: Linkage,
    tags: &'static str,
    /// Linker settings besides [`STRIP`], in the linker's own syntax.
    stamp: fn() -> String,
}

const fn program(name: &'static str, source: Source) -> Program {
    Program {
        name,
        source,
        linkage: Linkage::Static,
        tags: "",
        stamp: String::new,
    }
}

/// The node, without its payload.
pub const NODE: Program = Program {
    linkage: Linkage::C,
    stamp: node_stamp,
    ..program("node", Source::Folder("node"))
};
/// cert-manager's five programs in one.
pub const CERT_MANAGER: Program = program(
    "cert-manager",
    Source::Nested {
        folder: "cert-manager",
        package: "github.com/cert-manager/cert-manager/cmd/rig",
    },
);
/// The cluster's DNS.
pub const COREDNS: Program = program("coredns", Source::Folder("coredns"));
/// The ingress.
pub const TRAEFIK: Program = program(
    "traefik",
    Source::Required("github.com/traefik/traefik/v3/cmd/traefik"),
);
/// What an HPA reads.
///
/// By itself, as it wants a later Kubernetes library than the node's.
pub const METRICS_SERVER: Program = program(
    "metrics-server",
    Source::Released {
        packages: &["sigs.k8s.io/metrics-server/cmd/metrics-server"],
        version: "v0.9.0",
    },
);
/// Holds a pod's namespaces.
pub const PAUSE: Program = program("pause", Source::Folder("pause"));
/// The demo application's front.
pub const WEB: Program = program("web", Source::Folder("web"));
/// The demo application's signer.
pub const AUTH: Program = program("auth", Source::Folder("auth"));
/// Serves the artifacts.
pub const SERVE: Program = program("serve", Source::Folder("serve"));
/// What the tool installs on hosts.
pub const HELM_PROGRAM: Program = Program {
    stamp: helm_stamp,
    ..program("helm", Source::Required("helm.sh/helm/v3/cmd/helm"))
};
/// `containerd`, `ctr` and the shim.
pub const CONTAINERD: Program = Program {
    tags: "no_btrfs",
    ..program(
        "containerd",
        Source::Released {
            packages: &[
                "github.com/containerd/containerd/v2/cmd/containerd",
                "github.com/containerd/containerd/v2/cmd/ctr",
                "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2",
            ],
            // What k3s 1.35.5 ships (its release notes).
            version: "v2.2.3",
        },
    )
};

impl Program {
    /// The file's name; for several programs of one module, the entry's.
    pub fn name(&self) -> &'static str {
        self.name
    }

    fn flags(&self) -> Vec<String> {
        let mut flags = vec!["-trimpath".to_owned(), "-buildvcs=false".to_owned()];
        if !self.tags.is_empty() {
            flags.extend(["-tags".to_owned(), self.tags.to_owned()]);
        }
        flags.extend([
            "-ldflags".to_owned(),
            format!("{STRIP} {}", (self.stamp)()).trim().to_owned(),
        ]);
        flags
    }

    fn cgo(&self) -> &'static str {
        match self.linkage {
            Linkage::Static => "0",
            Linkage::C => "1",
        }
    }
}

/// The Go toolchain at work on the module in `tests/rig`.
pub struct Go<'a> {
    cache: &'a Cache,
    rig: &'a Path,
    /// Digest of the compiler's version.
    compiler: Key,
    /// The same with `go.mod` and `go.sum`.
    module: Key,
}

impl<'a> Go<'a> {
    /// Asks for the compiler's version and reads the module's files.
    pub fn new(cache: &'a Cache, rig: &'a Path) -> Result<Self> {
        let version = run(Command::new("go")
            .current_dir(rig)
            .args(["env", "GOVERSION"]))?;
        let compiler = Key::default().text(version);
        let module = compiler
            .clone()
            .tree(&rig.join("go.mod"))?
            .tree(&rig.join("go.sum"))?;
        Ok(Self {
            cache,
            rig,
            compiler,
            module,
        })
    }

    /// The compiled program.
    pub fn build(&self, program: &Program) -> Result<PathBuf> {
        Ok(self.build_all(program)?.join(program.name))
    }

    /// The folder of several programs that are compiled together.
    pub fn build_all(&self, program: &Program) -> Result<PathBuf> {
        self.cache.entry(program.name, self.key(program)?, |out| {
            self.compile(program, out)
        })
    }

    /// The version of a required module, as `go.mod` says it.
    pub fn required(&self, path: &str) -> Result<String> {
        let text = fs::read_to_string(self.rig.join("go.mod")).context("read go.mod")?;
        let line = text
            .lines()
            .find_map(|line| line.trim_start().strip_prefix(path)?.strip_prefix(' '));
        let version = line.and_then(|rest| rest.split_whitespace().next());
        version
            .map(str::to_owned)
            .with_context(|| format!("go.mod does not require {path}"))
    }

    /// The folder of a required module in Go's module cache.
    pub fn folder(&self, path: &str) -> Result<PathBuf> {
        run(Command::new("go")
            .current_dir(self.rig)
            .args(["mod", "download", path]))?;
        let list = ["list", "-m", "-f", "{{.Dir}}", path];
        let folder = run(Command::new("go").current_dir(self.rig).args(list))?;
        Ok(PathBuf::from(folder.trim_end()))
    }

    fn key(&self, program: &Program) -> Result<Key> {
        let key = match &program.source {
            Source::Folder(folder) => self.module.clone().tree(&self.rig.join(folder))?,
            Source::Nested { folder, package } => self
                .module
                .clone()
                .text(*package)
                .tree(&self.rig.join(folder))?,
            Source::Required(package) => self.module.clone().text(*package),
            Source::Released { packages, version } => self
                .compiler
                .clone()
                .text(packages.join(" "))
                .text(*version),
        };
        Ok(key.text(program.flags().join(" ")).text(program.cgo()))
    }

    fn compile(&self, program: &Program, out: &Path) -> Result<()> {
        eprintln!("compile {}", program.name);
        let mut go = Command::new("go");
        go.current_dir(self.rig).env("CGO_ENABLED", program.cgo());
        let target = out.join(program.name);
        match &program.source {
            Source::Folder(folder) => go
                .arg("build")
                .args(program.flags())
                .arg("-o")
                .arg(target)
                .arg(format!("./{folder}")),
            Source::Nested { package, .. } | Source::Required(package) => go
                .arg("build")
                .args(program.flags())
                .arg("-o")
                .arg(target)
                .arg(package),
            Source::Released { packages, version } => {
                go.env("GOBIN", out).arg("install").args(program.flags());
                go.args(
                    packages
                        .iter()
                        .map(|package| format!("{package}@{version}")),
                )
            }
        };
        run_within(&mut go, LIMIT).map(drop)
    }
}

fn node_stamp() -> String {
    let version = "k8s.io/component-base/version";
    // Eight hex digits, as k3s prints them; "bed1a7e" with a zero says whose build this is.
    let commit = "0bed1a7e";
    format!(
        "-X main.version={K3S} -X main.commit={commit} -X {version}.gitVersion={K3S} -X {version}.gitMajor=1 \
         -X {version}.gitMinor=35 -X {version}.gitCommit={commit} -X {version}.gitTreeState=clean"
    )
}

/// As helm's own Makefile: without the last four, charts see Kubernetes 1.20 in `helm template`.
fn helm_stamp() -> String {
    format!(
        "-X helm.sh/helm/v3/internal/version.version={HELM} -X helm.sh/helm/v3/internal/version.metadata= \
         -X helm.sh/helm/v3/pkg/lint/rules.k8sVersionMajor=1 -X helm.sh/helm/v3/pkg/lint/rules.k8sVersionMinor=35 \
         -X helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor=1 -X helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor=35"
    )
}
