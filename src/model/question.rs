//! What a step may ask. A question is a value: equal questions are asked once, however many steps ask them.

use std::net::IpAddr;
use std::path::PathBuf;

use serde::Deserialize;

use super::{ArtifactRef, DatabaseLogin, EnvSource, HostId, ImageSource, Manifest, ObjectRef, PasswordRef, Program, ReleaseUpgrade};

/// A question and to whom it goes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Question {
    /// To one host's privileged shell.
    Host(HostId, HostQuestion),
    /// To the API server.
    Api(ApiQuestion),
    /// To helm on a host: what this upgrade would render, nothing kept: `Reply::Objects`, Secrets left out. Chart and values lie on
    /// the host meanwhile, on tmpfs, for root alone: the one thing that a look puts there.
    HelmDryRun(HostId, Box<ReleaseUpgrade>),
    /// To the world, as a visitor sees it from the operator's side.
    Outside(OutsideQuestion),
    /// To the world, as a host sees it.
    Hairpin(HostId, Visit),
    /// To the operator's own machine.
    Operator(OperatorQuestion),
}

/// What can be asked of a host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HostQuestion {
    /// Operating system, size, clock, routes, login user: `Reply::Facts`.
    Facts,
    /// TCP sockets in LISTEN with the process that holds each: `Reply::Listeners`.
    Listeners,
    /// Kind, mode, owner and size of a path, links not followed: `Reply::File`.
    Stat(String),
    /// SHA-256 of a file in lower-case hex: `Reply::Text`.
    Digest(String),
    /// A file's bytes, at most 4 MiB: `Reply::Bytes`.
    Content(String),
    /// A systemd unit: `Reply::Unit`. Absent when systemd knows no such unit.
    Unit(String),
    /// A program's version as it prints it, e.g. `v1.35.5+k3s1`: `Reply::Text`.
    Version(Tool),
    /// Images in k3s' containerd: `Reply::Images`. Absent while containerd does not run.
    Images,
    /// Digests of the blobs that lie whole in the store of k3s' containerd: `Reply::Blobs`. Absent while containerd does not run.
    Blobs,
    /// When images of these ids came into k3s' containerd, and whether containers use them: `Reply::Former`. Absent while containerd does not
    /// run; an id of which that can't be told is left out.
    Former(Vec<String>),
    /// The last 40 lines of a unit's journal: `Reply::Text`.
    Journal(String),
    /// What nftables enforces of the table that this file declares: `Reply::Rules`. Absent when there is no nft.
    Rules(String),
    /// What k3s writes Secrets with into its datastore, and what reads them: `Reply::Encryption`. Absent: it never had a key for them.
    Encryption,
    /// How sshd is run, and what it takes from whom: `Reply::Sshd`. Absent when there is no sshd.
    Sshd,
    /// A, AAAA of a name by the host's own resolver: `Reply::Addresses`.
    Resolve(String),
    /// One GET by plain http that begins on the host, without following redirects: `Reply::Exchange`.
    Get {
        /// `http://…`.
        url: String,
        /// Where to connect, whatever DNS says.
        address: IpAddr,
    },
}

/// A program on a host whose version can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tool {
    /// `/usr/local/bin/k3s`.
    K3s,
    /// `/usr/local/bin/helm`.
    Helm,
}

/// What can be asked of the API server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ApiQuestion {
    /// `GET /readyz`: `Reply::Text` with what it says.
    Ready,
    /// One object that is not a Secret: `Reply::Object`.
    Object(ObjectRef),
    /// All objects of a kind: `Reply::Objects`. `name` is ignored; an empty namespace means all; `selector` as in kubectl `-l`.
    List {
        /// Kind and namespace.
        of: ObjectRef,
        /// Label selector; empty for all.
        selector: String,
    },
    /// Nothing but the metadata of all objects of a kind, of Secrets too: `Reply::Objects`. As `List` otherwise.
    Metadata {
        /// Kind and namespace.
        of: ObjectRef,
        /// Label selector; empty for all.
        selector: String,
    },
    /// A Secret with its data: `Reply::Secret`.
    Secret {
        /// Namespace.
        namespace: String,
        /// Name.
        name: String,
    },
    /// The newest revision of a helm release: `Reply::Release`.
    Release {
        /// Namespace.
        namespace: String,
        /// Name of the release.
        name: String,
    },
    /// Whether the password that lies there logs in: `Reply::Open`. Absent: the server refuses it.
    Login {
        /// Who logs in, and where.
        login: DatabaseLogin,
        /// With which password.
        password: PasswordRef,
    },
    /// Whether a password that nobody has logs in, too: `Reply::Open`. Absent: the server refuses it.
    AnyPassword(DatabaseLogin),
    /// What a forced server-side apply of this object would make of it, nothing kept: `Reply::DryRun`.
    DryRun(Manifest),
}

/// What can be asked of the world.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutsideQuestion {
    /// DNS records: `Reply::Records` (texts; empty means none of that kind). Absent: NXDOMAIN.
    Dns {
        /// Fully qualified, no trailing dot.
        name: String,
        /// Which records.
        kind: RecordKind,
        /// Whom to ask.
        resolver: Resolver,
    },
    /// The versions of TLS before 1.2 that are taken on port 443 at `address` for `name` (SNI), e.g. `TLS 1.0 and TLS 1.1`: `Reply::Text`.
    /// Absent: none is.
    OldTls {
        /// SNI.
        name: String,
        /// Where to connect.
        address: IpAddr,
    },
    /// Whether a TCP port takes a connection, on which nothing is said: `Reply::Open`. Absent: it refuses, or is silent for 1.5 s.
    Knock {
        /// Where to connect.
        address: IpAddr,
        /// To which port.
        port: u16,
    },
    /// A visit.
    #[serde(untagged)]
    Visit(Visit),
}

/// What a visitor does, wherever it comes from. Absent: from a host, where nothing comes back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Visit {
    /// The certificate served on port 443 at `address` for `name` (SNI): `Reply::Served`.
    Served {
        /// SNI and the name that must match.
        name: String,
        /// Where to connect.
        address: IpAddr,
        /// Whom the visitor trusts.
        #[serde(default)]
        trusted: Trusted,
    },
    /// One GET without following redirects: `Reply::Exchange`. An untrusted chain is an unreadable answer.
    Get {
        /// `http://…` or `https://…`.
        url: String,
        /// Where to connect, whatever DNS says.
        address: IpAddr,
        /// Whom the visitor trusts.
        #[serde(default)]
        trusted: Trusted,
    },
}

impl OutsideQuestion {
    /// `Served` to a visitor like any other.
    #[must_use]
    pub fn served(name: &str, address: IpAddr) -> Self {
        Self::Visit(Visit::Served { name: name.into(), address, trusted: Trusted::World })
    }

    /// `Get` by a visitor like any other.
    #[must_use]
    pub fn get(url: &str, address: IpAddr) -> Self {
        Self::Visit(Visit::Get { url: url.into(), address, trusted: Trusted::World })
    }
}

/// Whose certificates a visitor believes.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trusted {
    /// The production roots, which are the system's and `acme.production.roots`, and in the staging phase the staging roots.
    #[default]
    World,
    /// These roots alone, in PEM.
    Only(String),
}

/// Kinds of DNS records that matter here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RecordKind {
    /// IPv4 address.
    A,
    /// IPv6 address.
    Aaaa,
    /// Which CA may issue.
    Caa,
}

/// Whom to ask for DNS records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resolver {
    /// The operator's own resolver.
    System,
    /// Public resolvers, as the CA's vantage points would see it.
    Public,
}

/// What can be asked of the operator's own machine.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OperatorQuestion {
    /// The operator's kubeconfig: `Reply::Bytes`.
    Kubeconfig(PathBuf),
    /// An image for machines of an architecture, as the vendors call it (`amd64`): `Reply::Archive`.
    Image(ImageSource, String),
    /// A chart's folder or `.tgz`: `Reply::Chart`.
    Chart(PathBuf),
    /// Values files merged in order, as helm merges `-f`: `Reply::Object`.
    Values(Vec<PathBuf>),
    /// `.env` files, later ones over earlier ones: `Reply::Env`. Absent: one of them is not there.
    EnvFiles(Vec<EnvSource>),
    /// What a program of this machine says on its standard output, without a line end: `Reply::Bytes`.
    Output(Program),
    /// What `bedplate.lock` holds of an artifact: `Reply::Pin`. Absent: never met.
    Pin(ArtifactRef),
    /// A file's bytes, e.g. a CA in PEM: `Reply::Bytes`.
    File(PathBuf),
    /// What time it is: `Reply::Seconds` since the epoch.
    Clock,
    /// Its time zone's name, e.g. `Europe/Berlin`: `Reply::Text`. Absent: it has none that has a name.
    Zone,
}
