//! What a host says of itself.

use std::collections::BTreeSet;
use std::path::Path;

use bedplate::model::{
    Answer, FileKind, FileMeta, HostQuestion, ImageOnHost, PermitRootLogin, Reply, Rules, SSHD_DROP_IN, SSHD_UNPROVEN, STRANGER, Secret,
    SshdFacts, Tool,
};

use super::disk::File;
use super::{HELM, Host, K3S};

impl Host {
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
            // An archive of make-believe has none.
            HostQuestion::Blobs => self.running().then(|| Reply::Blobs(BTreeSet::new())),
            HostQuestion::Former(_) => self.running().then(|| Reply::Former(Vec::new())),
            HostQuestion::Images => self.running().then(|| Reply::Images(self.listed())),
            HostQuestion::Journal(_) => Some(Reply::Text(String::new())),
            // The world answers it.
            HostQuestion::Get { .. } => None,
            HostQuestion::Rules(path) => Some(Reply::Rules(self.enforced(path))),
            HostQuestion::Encryption => self.providers().map(Reply::Encryption),
            HostQuestion::Sshd => Some(Reply::Sshd(self.sshd())),
            HostQuestion::Resolve(_) => Some(Reply::Addresses(self.facts.addresses.clone())),
        };
        reply.map_or(Answer::Absent, Answer::Present)
    }

    /// What only a file has, links followed.
    fn read(&self, path: &str, reply: impl FnOnce(&File) -> Reply) -> Answer {
        match self.follow(Path::new(path)) {
            None => Answer::Absent,
            Some(file) if file.kind == FileKind::File => Answer::Present(reply(file)),
            Some(_) => Answer::Unreadable("not a file".into()),
        }
    }

    fn enforced(&self, path: &str) -> Rules {
        match (&self.rules, self.files.get(path)) {
            (None, _) => Rules::None,
            (Some(live), Some(kept)) if kept.bytes == *live => Rules::AsKept,
            _ => Rules::Other,
        }
    }

    /// As sshd reads our drop-in, beside Debian's own settings.
    fn sshd(&self) -> SshdFacts {
        let drop_in = self.files.get(SSHD_DROP_IN).map(|file| String::from_utf8_lossy(&file.bytes)).unwrap_or_default();
        let says = |line: &str| drop_in.lines().any(|said| said == line);
        let asked = [STRANGER, "root", &self.facts.user].map(str::to_owned);
        SshdFacts {
            unit: Some("ssh.service".into()),
            unproven: self.files.contains_key(SSHD_UNPROVEN),
            includes: true,
            passwords: if says("PasswordAuthentication no") { [].into() } else { asked.into() },
            root_login: if says("PermitRootLogin no") { PermitRootLogin::No } else { PermitRootLogin::ProhibitPassword },
        }
    }

    fn listed(&self) -> Vec<ImageOnHost> {
        self.images
            .iter()
            .map(|(name, (id, pinned))| ImageOnHost { name: name.clone(), id: id.clone(), pinned: *pinned, size: 1000 })
            .collect()
    }

    fn version(&self, tool: Tool) -> Option<String> {
        match tool {
            Tool::K3s => self.files.get(K3S).map(|_| "v1.35.5+k3s1".into()),
            Tool::Helm => self.follow(Path::new(HELM)).map(|_| "v4.2.4".into()),
        }
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
