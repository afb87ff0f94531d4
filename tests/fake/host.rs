//! One host of make-believe: files, k3s' unit, images.

use std::collections::BTreeMap;
use std::path::{Component, Path};

use bedplate::inventory::{self, Role};
use bedplate::model::{
    Answer, Failure, FileKind, FileMeta, HostAction, HostFacts, HostQuestion, ImageOnHost, Owner, Privilege, ReleaseAction, Reply, Secret,
    Tool, UnitChange, UnitState,
};
use sha2::{Digest, Sha256};

use super::api::Api;

pub struct File {
    pub kind: FileKind,
    pub bytes: Vec<u8>,
    pub digest: String,
    pub mode: u32,
    pub owner: (u32, u32),
    pub modified: u64,
}

pub struct Host {
    pub files: BTreeMap<String, File>,
    pub enabled: bool,
    pub active_since: Option<u64>,
    pub loaded: u64,
    pub images: BTreeMap<String, (String, bool)>,
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
            facts: facts(),
            role: Role::Server,
            clock: 1_000_000,
        };
        for folder in ["/etc", "/etc/systemd", "/etc/systemd/system", "/home", "/usr", "/usr/local", "/usr/local/bin", "/var", "/var/lib"] {
            host.put(folder, FileKind::Folder, Vec::new(), 0o755, (0, 0));
        }
        host.put("/home/appuser", FileKind::Folder, Vec::new(), 0o755, (1000, 1000));
        host
    }
}

pub fn digest_of(text: &str) -> String {
    format!("{:x}", Sha256::digest(text))
}

/// The cluster's CA, on the server.
pub const CA: &str = "/var/lib/rancher/k3s/server/tls/server-ca.crt";
const K3S: &str = "/usr/local/bin/k3s";
const HELM: &str = "/usr/local/bin/helm";
/// Where helm's chart and values lie while it runs.
const WORKPLACE: &str = "/run/bedplate/";
/// How files begin that do not bear their name yet.
const TEMPORARY: &str = ".bedplate-";

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

    /// systemd keeps a unit in memory while it runs or `multi-user.target` wants it; any other is read anew whenever it is looked at.
    fn kept(&self) -> bool {
        self.running() || self.enabled
    }

    pub fn tick(&mut self) -> u64 {
        self.clock += 1_000_000;
        self.clock
    }

    pub fn put(&mut self, path: &str, kind: FileKind, bytes: Vec<u8>, mode: u32, owner: (u32, u32)) {
        let modified = self.tick();
        let digest = format!("{:x}", Sha256::digest(&bytes));
        self.files.insert(path.into(), File { kind, bytes, digest, mode, owner, modified });
    }

    /// The folders above `path` that are not there.
    pub fn lacking<'p>(&self, path: &'p str) -> Vec<&'p str> {
        let above = path.match_indices('/').filter(|(at, _)| *at > 0).map(|(at, _)| &path[..at]);
        above.filter(|folder| !self.files.contains_key(*folder)).collect()
    }

    /// As `mkdir -p`, but each new folder gets the owner of what will lie there.
    pub fn parents(&mut self, path: &str, owner: (u32, u32)) {
        for folder in self.lacking(path) {
            self.put(folder, FileKind::Folder, Vec::new(), 0o755, owner);
        }
    }

    /// A file beside `path` that does not bear its name yet, in place of those that killed runs left.
    pub fn temporary(&mut self, path: &str, unique: &str) {
        self.tidy(path);
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        self.put(&format!("{folder}/{TEMPORARY}{unique}"), FileKind::File, b"half".into(), 0o600, (0, 0));
    }

    fn tidy(&mut self, path: &str) {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let left = format!("{folder}/{TEMPORARY}");
        self.files.retain(|path, _| path.strip_prefix(&left).is_none_or(|rest| rest.contains('/')));
    }

    /// helm at work: what a killed one left goes.
    pub fn workplace(&mut self, unique: &str) {
        self.files.retain(|path, _| !path.starts_with(WORKPLACE));
        self.put(&format!("{WORKPLACE}release-{unique}"), FileKind::Folder, Vec::new(), 0o700, (0, 0));
    }

    /// Where `path` leads; `None` if there is nothing.
    fn follow(&self, path: &Path) -> Option<&File> {
        let file = self.files.get(path.to_str()?)?;
        let FileKind::Link(target) = &file.kind else { return Some(file) };
        let mut end = path.parent()?.to_path_buf();
        for part in Path::new(target).components() {
            match part {
                Component::ParentDir => drop(end.pop()),
                Component::CurDir => {}
                // A root begins anew.
                part => end.push(part),
            }
        }
        self.follow(&end)
    }

    /// What only a file has, links followed.
    fn read(&self, path: &str, reply: impl FnOnce(&File) -> Reply) -> Answer {
        match self.follow(Path::new(path)) {
            None => Answer::Absent,
            Some(file) if file.kind == FileKind::File => Answer::Present(reply(file)),
            Some(_) => Answer::Unreadable("not a file".into()),
        }
    }

    pub fn answer(&mut self, question: &HostQuestion) -> Answer {
        let reply = match question {
            HostQuestion::Facts => Some(Reply::Facts(Box::new(self.facts.clone()))),
            HostQuestion::Listeners => Some(Reply::Listeners(Vec::new())),
            HostQuestion::Stat(path) => self.files.get(path).map(|file| Reply::File(meta(file))),
            HostQuestion::Digest(path) => return self.read(path, |file| Reply::Text(file.digest.clone())),
            HostQuestion::Content(path) => return self.read(path, |file| Reply::Bytes(Secret::new(file.bytes.clone()))),
            HostQuestion::Unit(name) => self.unit(name).map(Reply::Unit),
            HostQuestion::Version(tool) => self.version(*tool).map(Reply::Text),
            HostQuestion::Images if self.running() && !self.runs() => return Answer::Unreadable("k3s is not there".into()),
            HostQuestion::Images => self.running().then(|| Reply::Images(self.listed())),
            HostQuestion::Journal(_) => Some(Reply::Text(String::new())),
            HostQuestion::Resolve(_) => Some(Reply::Addresses(self.facts.addresses.clone())),
        };
        reply.map_or(Answer::Absent, Answer::Present)
    }

    fn listed(&self) -> Vec<ImageOnHost> {
        self.images.iter().map(|(name, (id, pinned))| ImageOnHost { name: name.clone(), id: id.clone(), pinned: *pinned }).collect()
    }

    fn unit(&self, name: &str) -> Option<UnitState> {
        let file = self.files.get(&format!("/etc/systemd/system/{name}.service")).filter(|_| name == self.name())?;
        let running = self.running();
        Some(UnitState {
            active: if running { "active" } else { "inactive" }.into(),
            sub: if running { "running" } else { "dead" }.into(),
            enabled: if self.enabled { "enabled" } else { "disabled" }.into(),
            needs_reload: self.kept() && file.modified > self.loaded,
            restarts: 0,
            job: false,
            started: self.active_since.unwrap_or(0),
        })
    }

    fn version(&self, tool: Tool) -> Option<String> {
        match tool {
            Tool::K3s => self.files.get(K3S).map(|_| "v1.35.5+k3s1".into()),
            Tool::Helm => self.follow(Path::new(HELM)).map(|_| "v4.2.4".into()),
        }
    }

    pub fn perform(&mut self, action: &HostAction, api: &mut Api) -> Result<(), Failure> {
        match action {
            HostAction::WriteFile(file) => {
                self.parents(&file.path, file.owner.ids());
                self.tidy(&file.path);
                self.put(&file.path, FileKind::File, file.content.bytes().into(), file.mode, file.owner.ids());
            }
            HostAction::MakeFolder { path, mode, owner } => {
                self.parents(path, owner.ids());
                self.put(path, FileKind::Folder, Vec::new(), *mode, owner.ids());
            }
            HostAction::Link { path, target } => {
                self.parents(path, Owner::Root.ids());
                self.tidy(path);
                self.put(path, FileKind::Link(target.clone()), target.as_bytes().to_vec(), 0o777, (0, 0));
            }
            HostAction::MakeToken { path } => {
                self.parents(path, Owner::Root.ids());
                self.tidy(path);
                if !self.files.contains_key(path) {
                    self.put(path, FileKind::File, digest_of(path).into(), 0o600, (0, 0));
                }
            }
            HostAction::Install(install) => {
                self.parents(&install.path, Owner::Root.ids());
                self.tidy(&install.path);
                self.put(&install.path, FileKind::File, Vec::new(), install.mode, (0, 0));
                if let (Some(file), None) = (self.files.get_mut(&install.path), &install.member) {
                    file.digest.clone_from(&install.pin.sha256);
                }
            }
            HostAction::Unit { unit, change } => return self.change(unit, *change),
            HostAction::Import(_) | HostAction::PinImage { .. } if !self.runs() => {
                return Err(Failure::new("reach containerd", "k3s does not run", ""));
            }
            HostAction::Import(image) => {
                for name in &image.names {
                    self.images.insert(name.clone(), (image.id.clone(), true));
                }
            }
            HostAction::PinImage { name } => {
                if let Some(image) = self.images.get_mut(name) {
                    image.1 = true;
                }
            }
            HostAction::Release(action) => return self.release(action, api),
        }
        Ok(())
    }

    fn release(&mut self, action: &ReleaseAction, api: &mut Api) -> Result<(), Failure> {
        if self.follow(Path::new(HELM)).is_none() || !self.serves() {
            return Err(Failure::new("run helm", "helm or k3s is not there", ""));
        }
        match action {
            ReleaseAction::Upgrade(release) => api.upgrade(release)?,
            ReleaseAction::Uninstall { namespace, name } => api.uninstall(namespace, name),
            ReleaseAction::ClearPending { namespace, name, deployed: None, .. } => {
                // kubectl alone: no place of work is made, and none is cleared away.
                api.clear(namespace, name, None);
                return Ok(());
            }
            ReleaseAction::ClearPending { namespace, name, deployed, .. } => api.clear(namespace, name, *deployed),
        }
        self.files.retain(|path, _| !path.starts_with(WORKPLACE));
        Ok(())
    }

    fn change(&mut self, unit: &str, change: UnitChange) -> Result<(), Failure> {
        if change != UnitChange::Reload && self.unit(unit).is_none() {
            return Err(Failure::new(format!("change {unit}"), "unit not found", ""));
        }
        let now = self.tick();
        match change {
            UnitChange::Reload => self.loaded = now,
            // `systemctl enable` reloads systemd by itself.
            UnitChange::Enable => (self.enabled, self.loaded) = (true, now),
            UnitChange::Start if self.running() => {}
            UnitChange::Start | UnitChange::Restart => {
                if !self.kept() {
                    self.loaded = now;
                }
                self.active_since = Some(now);
                if self.serves() {
                    self.parents("/var/lib/rancher/k3s/server", Owner::Root.ids());
                    let data = self.files.contains_key("/var/lib/rancher/k3s/server");
                    if !data {
                        self.put("/var/lib/rancher/k3s/server", FileKind::Folder, Vec::new(), 0o700, (0, 0));
                    }
                    self.parents(CA, Owner::Root.ids());
                    self.put(CA, FileKind::File, b"a CA".into(), 0o644, (0, 0));
                    let kubeconfig = include_str!("k3s.yaml").as_bytes().to_vec();
                    self.parents("/etc/rancher/k3s/k3s.yaml", Owner::Root.ids());
                    self.put("/etc/rancher/k3s/k3s.yaml", FileKind::File, kubeconfig, 0o600, (0, 0));
                }
            }
        }
        Ok(())
    }
}

fn meta(file: &File) -> FileMeta {
    FileMeta {
        kind: file.kind.clone(),
        mode: file.mode,
        uid: file.owner.0,
        gid: file.owner.1,
        size: file.bytes.len() as u64,
        changed: file.modified,
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
        user: "appuser".into(),
        uid: 1000,
        gid: 1000,
        home: "/home/appuser".into(),
        privilege: Privilege::SudoPassword,
    }
}
