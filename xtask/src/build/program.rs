//! The Go programs of the rig, and how each is compiled.

/// Kubernetes' version as k3s shows it; the modules underneath are `v1.35.4`.
pub const K3S: &str = "v1.35.4+k3s1";
/// Helm's version, as in `go.mod`.
pub const HELM: &str = "v3.21.0";
/// Smaller programs; the same paths on every machine.
const STRIP: &str = "-s -w";

/// Where a program's source is.
pub enum Source {
    /// A folder of the module in `tests/rig`. Nothing outside of it but `go.mod` and `go.sum` is in the program.
    Folder(&'static str),
    /// A folder with a module of its own, built in the graph of `tests/rig` under its import path.
    Nested {
        /// Below `tests/rig`.
        folder: &'static str,
        /// Its import path.
        package: &'static str,
    },
    /// A folder with a module of its own, in that module's graph.
    Apart(&'static str),
    /// A package of a module that `tests/rig/go.mod` requires.
    Required(&'static str),
    /// Packages of a module in its own graph, at a version.
    Released {
        /// Import paths of mains.
        packages: &'static [&'static str],
        /// The module's, with a leading `v`.
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
    /// What is compiled.
    pub source: Source,
    linkage: Linkage,
    tags: &'static str,
    /// Linker settings besides [`STRIP`], in the linker's own syntax.
    stamp: fn() -> String,
}

const fn program(name: &'static str, source: Source) -> Program {
    Program { name, source, linkage: Linkage::Static, tags: "", stamp: String::new }
}

/// The node, without its payload.
pub const NODE: Program = Program { linkage: Linkage::C, stamp: node_stamp, ..program("node", Source::Folder("node")) };
/// cert-manager's five programs in one.
pub const CERT_MANAGER: Program =
    program("cert-manager", Source::Nested { folder: "cert-manager", package: "github.com/cert-manager/cert-manager/cmd/rig" });
/// The cluster's DNS.
pub const COREDNS: Program = program("coredns", Source::Folder("coredns"));
/// The ingress.
pub const TRAEFIK: Program = program("traefik", Source::Required("github.com/traefik/traefik/v3/cmd/traefik"));
/// What an HPA reads.
///
/// By itself, as it wants a later Kubernetes library than the node's.
pub const METRICS_SERVER: Program =
    program("metrics-server", Source::Released { packages: &["sigs.k8s.io/metrics-server/cmd/metrics-server"], version: "v0.9.0" });
/// Holds a pod's namespaces.
pub const PAUSE: Program = program("pause", Source::Folder("pause"));
/// The demo application's front.
pub const WEB: Program = program("web", Source::Folder("web"));
/// The demo application's signer.
pub const AUTH: Program = program("auth", Source::Folder("auth"));
/// Signs tokens, verifies them, and is the load of both.
pub const TOKENS: Program = program("tokens", Source::Folder("tokens"));
/// Serves the artifacts.
pub const SERVE: Program = program("serve", Source::Folder("serve"));
/// Reads `.env` files as compose does, for comparison.
pub const DOTENV: Program = program("dotenv", Source::Apart("dotenv"));
/// What the tool installs on hosts.
pub const HELM_PROGRAM: Program = Program { stamp: helm_stamp, ..program("helm", Source::Required("helm.sh/helm/v3/cmd/helm")) };
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

    /// Arguments of `go build` and `go install`, the linker's among them.
    pub fn flags(&self) -> Vec<String> {
        let mut flags = vec!["-trimpath".to_owned(), "-buildvcs=false".to_owned()];
        if !self.tags.is_empty() {
            flags.extend(["-tags".to_owned(), self.tags.to_owned()]);
        }
        flags.extend(["-ldflags".to_owned(), format!("{STRIP} {}", (self.stamp)()).trim().to_owned()]);
        flags
    }

    /// The value of `CGO_ENABLED`.
    pub fn cgo(&self) -> &'static str {
        match self.linkage {
            Linkage::Static => "0",
            Linkage::C => "1",
        }
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
