//! One host of make-believe: files, k3s' unit, images.

mod answers;
mod disk;
mod encryption;
mod perform;
mod systemd;

use std::collections::BTreeMap;

use bedplate::inventory::{self, Role};
use bedplate::model::{FileKind, HostFacts, Privilege};

pub use disk::{File, digest_of};

#[derive(Clone)]
pub struct Host {
    pub files: BTreeMap<String, File>,
    pub enabled: bool,
    pub active_since: Option<u64>,
    pub loaded: u64,
    pub images: BTreeMap<String, (String, bool)>,
    /// What nftables enforces of our table.
    pub rules: Option<Vec<u8>>,
    pub facts: HostFacts,
    pub role: Role,
    clock: u64,
}

impl Default for Host {
    fn default() -> Self {
        let mut host = Self {
            files: BTreeMap::new(),
            enabled: false,
            active_since: None,
            loaded: 0,
            images: BTreeMap::new(),
            rules: None,
            facts: facts(),
            role: Role::Server,
            clock: 1_000_000,
        };
        for folder in [
            "/etc",
            "/etc/ssh",
            "/etc/ssh/sshd_config.d",
            "/etc/systemd",
            "/etc/systemd/system",
            "/etc/tmpfiles.d",
            "/home",
            "/usr",
            "/usr/local",
            "/usr/local/bin",
            "/var",
            "/var/lib",
        ] {
            host.put(folder, FileKind::Folder, Vec::new(), 0o755, (0, 0));
        }
        host.put("/home/appuser", FileKind::Folder, Vec::new(), 0o755, (1000, 1000));
        host
    }
}

/// The cluster's CA, on the server.
pub const CA: &str = "/var/lib/rancher/k3s/server/tls/server-ca.crt";
const K3S: &str = "/usr/local/bin/k3s";
const HELM: &str = "/usr/local/bin/helm";

impl Host {
    /// Bare, and as the inventory says.
    pub fn of(host: &inventory::Host) -> Self {
        let mut own = Self { role: host.role, ..Self::default() };
        own.facts.hostname.clone_from(&host.name);
        own.facts.addresses.splice(.., host.visible_ip());
        if host.user.as_deref() == Some("root") {
            own.facts = HostFacts { user: "root".into(), uid: 0, gid: 0, home: "/root".into(), privilege: Privilege::Root, ..own.facts };
            own.put("/root", FileKind::Folder, Vec::new(), 0o700, (0, 0));
        } else {
            own.put("/home/appuser/.bashrc", FileKind::File, b"# mine\n".into(), 0o644, (1000, 1000));
        }
        own
    }

    fn running(&self) -> bool {
        self.active_since.is_some()
    }

    /// Whether what runs is k3s, and so containerd with it.
    pub fn runs(&self) -> bool {
        self.running() && self.files.contains_key(K3S)
    }

    /// Whether the API server runs with it.
    pub fn serves(&self) -> bool {
        self.runs() && self.role == Role::Server
    }

    /// The only unit there can be.
    fn name(&self) -> &'static str {
        if self.role == Role::Server { "k3s" } else { "k3s-agent" }
    }

    pub fn tick(&mut self) -> u64 {
        self.clock += 1_000_000;
        self.clock
    }
}

fn facts() -> HostFacts {
    HostFacts {
        os: "debian".into(),
        os_version: "12".into(),
        machine: "x86_64".into(),
        cpus: 2,
        memory: 8 << 30,
        disk_free: 100 << 30,
        clock_skew: 0,
        hostname: "droplet".into(),
        default_route: Some("eth0".into()),
        routes: vec!["203.0.113.0/24".parse().unwrap()],
        addresses: vec!["203.0.113.10".parse().unwrap()],
        cgroup: 2,
        systemd: true,
        forwarding: Some(true),
        ufw: false,
        firewalld: false,
        user: "appuser".into(),
        uid: 1000,
        gid: 1000,
        home: "/home/appuser".into(),
        privilege: Privilege::SudoPassword,
    }
}
