//! The inventory's shape. Field docs are the reference that `inventory.example.toml` shows by example.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;

use super::{Consent, Database, Firewall, Image, JwtKeys, Release, SecretSource, Site, Sshd, Tls};
use crate::playbook::Play;

/// One cluster. Relative paths have been made absolute against the inventory's folder by `load`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inventory {
    /// The cluster's name and the kubeconfig context.
    pub name: String,
    /// Where artifacts come from: `upstream`, a URL prefix, or a folder.
    #[serde(default = "upstream")]
    pub source: String,
    /// At least one; exactly one server for now, and any number of agents.
    pub hosts: Vec<Host>,
    /// Versions of what is installed.
    pub versions: Versions,
    /// `[k3s]`: k3s' own keys for `config.yaml`.
    #[serde(default)]
    pub k3s: K3s,
    /// `[firewall]`: which doors of the hosts are open; none: that is somebody else's.
    #[serde(default)]
    pub firewall: Option<Firewall>,
    /// `[sshd]`: whom the hosts' sshd lets in no more; none: that is somebody else's.
    #[serde(default)]
    pub sshd: Option<Sshd>,
    /// The operator's kubeconfig.
    #[serde(default)]
    pub kubeconfig: Kubeconfig,
    /// `registries.yaml`.
    #[serde(default)]
    pub registries: Option<Registries>,
    /// Needed when a site says `tls = "acme"`.
    #[serde(default)]
    pub acme: Option<Acme>,
    /// Name to where it comes from.
    #[serde(default)]
    pub images: BTreeMap<String, Image>,
    /// Key pairs for tokens.
    #[serde(default)]
    pub jwt_keys: Vec<JwtKeys>,
    /// Texts that no value may hold, beside the usual placeholders.
    #[serde(default)]
    pub placeholders: Vec<String>,
    /// Secrets filtered out of `.env` files.
    #[serde(default)]
    pub secrets: Vec<SecretSource>,
    /// Logins whose passwords are rotated.
    #[serde(default)]
    pub databases: Vec<Database>,
    /// Helm releases.
    #[serde(default)]
    pub releases: Vec<Release>,
    /// What must be served.
    #[serde(default)]
    pub sites: Vec<Site>,
    /// Playbooks: `[playbooks.hello]` with its parameters.
    #[serde(default)]
    pub playbooks: BTreeMap<String, BTreeMap<String, toml::Value>>,
    /// What the playbooks add beside tables; filled in by `load`.
    #[serde(skip)]
    pub plays: Vec<Play>,
    /// What the command line allows; the file can't.
    #[serde(skip)]
    pub consents: BTreeSet<Consent>,
}

fn upstream() -> String {
    "upstream".into()
}

impl Inventory {
    /// The first server: where the lock lies, helm runs and visitors come in.
    #[must_use]
    pub fn server(&self) -> Option<&Host> {
        self.hosts.iter().find(|host| host.role == Role::Server)
    }

    /// The hosts that only run pods.
    pub fn agents(&self) -> impl Iterator<Item = &Host> {
        self.hosts.iter().filter(|host| host.role == Role::Agent)
    }

    /// The commands that make images, each once.
    #[must_use]
    pub fn builds(&self) -> Vec<String> {
        let commands: BTreeSet<&String> = self.images.values().filter_map(|image| image.build.as_ref()).collect();
        commands.into_iter().cloned().collect()
    }

    /// Where a site's Ingress lies, and all that belongs to it.
    #[must_use]
    pub fn namespace_of(&self, site: &Site) -> Option<&str> {
        let release = self.releases.iter().find(|release| release.name == site.release).map(|release| release.namespace.as_str());
        release.or_else(|| self.plays.iter().find(|play| play.name == site.release)?.home_of(&site.domain))
    }

    /// Whether some site wants a certificate by ACME.
    #[must_use]
    pub fn wants_acme(&self) -> bool {
        self.sites.iter().any(|site| site.tls == Tls::Acme)
    }
}

/// A machine.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Host {
    /// Unique; also k3s' node name.
    pub name: String,
    /// What ssh dials: an address or an alias of `~/.ssh/config`.
    pub address: String,
    /// Login user; ssh's own default if absent.
    #[serde(default)]
    pub user: Option<String>,
    /// TCP port; ssh's own default if absent.
    #[serde(default)]
    pub port: Option<u16>,
    /// Private key file.
    #[serde(default)]
    pub identity_file: Option<PathBuf>,
    /// Pinned host key: `ssh-ed25519 AAAA…`.
    #[serde(default)]
    pub host_key: Option<String>,
    /// What DNS must answer for the sites; default: `address` if that is an IP address.
    #[serde(default)]
    pub public_ip: Option<IpAddr>,
    /// k3s' `node-ip`.
    #[serde(default)]
    pub node_ip: Option<IpAddr>,
    /// Server or agent.
    #[serde(default)]
    pub role: Role,
    /// How to reach it.
    #[serde(default)]
    pub connection: Connection,
    /// The node's labels: `{ disk = "ssd" }`. k3s sets them when the node registers (contract §2.3).
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// The node's taints: `["dedicated=db:NoSchedule"]`. k3s sets them when the node registers, and never again.
    #[serde(default)]
    pub taints: Vec<String>,
}

impl Host {
    /// Where other hosts find it: `node_ip`, else `address` or `public_ip`, whichever is an IP address that is not its loopback's.
    #[must_use]
    pub fn dialled_ip(&self) -> Option<IpAddr> {
        [self.node_ip, self.address.parse().ok(), self.public_ip].into_iter().flatten().find(|ip| !ip.is_loopback())
    }

    /// Every address of it that is written down, its loopback's left out.
    #[must_use]
    pub fn addresses(&self) -> BTreeSet<IpAddr> {
        [self.node_ip, self.address.parse().ok(), self.public_ip].into_iter().flatten().filter(|ip| !ip.is_loopback()).collect()
    }

    /// Where visitors find it: `public_ip`, else `address` if that is an IP address.
    #[must_use]
    pub fn visible_ip(&self) -> Option<IpAddr> {
        self.public_ip.or_else(|| self.address.parse().ok())
    }

    /// Where the operator's own programs find it: at `address`, unless that is a name, which nobody but ssh may know, and there is `public_ip`.
    #[must_use]
    pub fn direct(&self) -> String {
        let ip = self.address.parse().ok().or(self.public_ip);
        ip.map_or_else(|| self.address.clone(), |ip: IpAddr| ip.to_string())
    }
}

/// What a host does in the cluster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Runs the control plane and pods.
    #[default]
    Server,
    /// Runs pods.
    Agent,
}

/// How a host is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Connection {
    /// By the user's own `ssh`.
    #[default]
    Ssh,
    /// It is the machine on which bedplate runs.
    Local,
}

/// Pinned versions.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Versions {
    /// `v1.35.5+k3s1`.
    pub k3s: String,
    /// `v4.2.4`; needed when there is a release or `acme`.
    #[serde(default)]
    pub helm: Option<String>,
    /// `v1.21.1`; needed when a site says `tls = "acme"`.
    #[serde(default)]
    pub cert_manager: Option<String>,
}

/// `[k3s]`: every key is one of k3s' own (contract §2.3: k3s-docs:cli/server), checked against a list by `lint`.
#[derive(Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct K3s(pub BTreeMap<String, Value>);

/// The operator's kubeconfig.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Kubeconfig {
    /// Merged, with a backup. `~` is the operator's home.
    pub path: PathBuf,
    /// How the context reaches the API.
    pub access: Access,
}

impl Default for Kubeconfig {
    fn default() -> Self {
        Self { path: "~/.kube/config".into(), access: Access::Tunnel }
    }
}

/// How the operator reaches the API.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// Through `bedplate tunnel`.
    #[default]
    Tunnel,
    /// 6443 is open and the address is in `tls-san`.
    Direct,
}

/// Written to `registries.yaml` as it stands (k3s-docs:installation/private-registry).
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registries {
    /// Registry to endpoints and rewrites.
    #[serde(default)]
    pub mirrors: BTreeMap<String, Value>,
    /// Host to credentials and TLS.
    #[serde(default)]
    pub configs: BTreeMap<String, Value>,
}

/// `[acme]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acme {
    /// Whom the CA writes to.
    pub email: String,
    /// By default Let's Encrypt's staging.
    #[serde(default)]
    pub staging: AcmeServer,
    /// By default Let's Encrypt.
    #[serde(default)]
    pub production: AcmeServer,
}

/// Another ACME server than Let's Encrypt.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcmeServer {
    /// Directory URL.
    #[serde(default)]
    pub server: Option<String>,
    /// PEM file: the CA of the directory's own TLS.
    #[serde(default)]
    pub server_ca: Option<PathBuf>,
    /// PEM file: roots to which its certificates verify, beside the default ones.
    #[serde(default)]
    pub roots: Option<PathBuf>,
}
