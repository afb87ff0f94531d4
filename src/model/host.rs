//! What a host says of itself. All of it is data from a machine that is not trusted.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::Deserialize;

/// Of `HostQuestion::Facts`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct HostFacts {
    /// `ID` of os-release, e.g. `debian`.
    pub os: String,
    /// `VERSION_ID` of os-release, e.g. `12`.
    pub os_version: String,
    /// `uname -m`, e.g. `x86_64`.
    pub machine: String,
    /// Processors.
    pub cpus: u32,
    /// `MemTotal`, bytes.
    pub memory: u64,
    /// Bytes free where `/var/lib/rancher` lies or would lie.
    pub disk_free: u64,
    /// The host's clock minus ours, seconds.
    pub clock_skew: i64,
    /// `hostname`.
    pub hostname: String,
    /// Device of the IPv4 or IPv6 default route, if there is one.
    pub default_route: Option<String>,
    /// Destinations in the main routing table, the default left out.
    pub routes: Vec<IpNet>,
    /// Addresses of the host's interfaces, loopback left out.
    pub addresses: Vec<IpAddr>,
    /// 1 or 2: version of the cgroup hierarchy at /sys/fs/cgroup; 0 when none is mounted.
    pub cgroup: u8,
    /// Whether systemd is running the host.
    pub systemd: bool,
    /// Whether sshd lets local ports be forwarded (`AllowTcpForwarding`), as `sshd -T` says; none if it can't be told.
    pub forwarding: Option<bool>,
    /// Whether ufw says that it is active.
    pub ufw: bool,
    /// Whether firewalld says that it is running.
    #[serde(default)]
    pub firewalld: bool,
    /// The login user.
    pub user: String,
    /// The login user's numeric id.
    pub uid: u32,
    /// The login user's primary group's numeric id.
    pub gid: u32,
    /// The login user's home.
    pub home: String,
    /// How root was reached.
    pub privilege: Privilege,
}

/// How root was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Privilege {
    /// The login user is root.
    Root,
    /// `sudo -n` works.
    Sudo,
    /// `sudo` took the password.
    SudoPassword,
}

/// A TCP socket in LISTEN.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Listener {
    /// Local address.
    pub address: IpAddr,
    /// Local port.
    pub port: u16,
    /// Name of the process that holds it; empty when it can't be told.
    pub process: String,
}

/// Of `HostQuestion::Stat`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct FileMeta {
    /// What it is.
    pub kind: FileKind,
    /// Permission bits, e.g. `0o600`.
    pub mode: u32,
    /// Numeric owner.
    pub uid: u32,
    /// Numeric group.
    pub gid: u32,
    /// Bytes.
    pub size: u64,
    /// When its content, mode, owner or name last changed (`ctime`: a rename counts, and it can't be set back): µs since the epoch.
    pub changed: u64,
}

/// What a path is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link and its target.
    Link(String),
    /// Anything else.
    Other,
}

/// Of `HostQuestion::Unit`, as `systemctl show` names them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct UnitState {
    /// `active`, `activating`, `inactive`, `failed`, …
    pub active: String,
    /// `running`, `auto-restart`, `dead`, …
    pub sub: String,
    /// `enabled`, `disabled`, …
    pub enabled: String,
    /// Whether systemd has read the unit file as it now is.
    pub needs_reload: bool,
    /// Times systemd restarted it by itself.
    pub restarts: u32,
    /// Whether systemd has a job queued or running for it, e.g. a restart that has not begun.
    pub job: bool,
    /// When its main process was last started (`ExecMainStartTimestamp`), µs since the epoch; 0: never.
    pub started: u64,
}

/// Of `HostQuestion::Rules`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rules {
    /// There is no such table.
    None,
    /// The file's.
    AsKept,
    /// Others, or there is no file.
    Other,
}

/// An image that another one may have replaced.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct FormerImage {
    /// Config digest.
    pub id: String,
    /// When it came, since the epoch.
    pub came: i64,
    /// Whether a container is made of it, running or not.
    pub used: bool,
}

/// One image in containerd.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ImageOnHost {
    /// Full reference, e.g. `docker.io/shop/web:1`.
    pub name: String,
    /// Config digest (`sha256:…`): the image's identity.
    pub id: String,
    /// Whether kubelet's garbage collection spares it.
    pub pinned: bool,
    /// Bytes, as the CRI counts them.
    #[serde(default)]
    pub size: u64,
}
