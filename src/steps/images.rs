//! `images`: the inventory's archives are in the host's containerd, as they are here, and kubelet's garbage collection spares them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::changes::Changes;
use crate::inventory::Inventory;
use crate::model::{
    Finding, HostAction, HostId, HostQuestion, ImageArchive, ImageImport, ImageOnHost, Missing, OperatorQuestion, Plan, Planned, Question,
    Scope, Step, StepId, View, Why,
};

struct Images {
    host: HostId,
    archives: Vec<PathBuf>,
}

/// One a host, if there are images.
pub fn steps(inventory: &Inventory) -> Vec<Box<dyn Step>> {
    let archives: Vec<PathBuf> = inventory.images.values().cloned().collect();
    if archives.is_empty() {
        return Vec::new();
    }
    let step = |name: &str| Images { host: HostId(name.into()), archives: archives.clone() };
    inventory.hosts.iter().map(|host| Box::new(step(&host.name)) as Box<dyn Step>).collect()
}

/// What of an archive is other than on the host; none: nothing.
fn difference(archive: &ImageArchive, on_host: &[ImageOnHost]) -> Option<String> {
    archive.names.iter().find_map(|name| match on_host.iter().find(|image| image.name == *name) {
        None => Some(format!("{name} is not on the host: {}", short(&archive.id))),
        Some(image) if image.id != archive.id => Some(format!("{name} {} -> {}", short(&image.id), short(&archive.id))),
        Some(_) => None,
    })
}

/// What an import sends: on the wire it is packed, and less.
fn most(archive: &ImageArchive, blobs: Option<&BTreeSet<String>>) -> String {
    let missing = |blobs: &BTreeSet<String>| archive.blobs.iter().filter(|blob| !blobs.contains(&blob.digest)).map(|blob| blob.size).sum();
    match blobs.map(missing) {
        Some(missing) if missing < archive.size => format!("at most {} of {} to send", bytes(missing), bytes(archive.size)),
        _ => format!("at most {} to send", bytes(archive.size)),
    }
}

/// What one archive needs: to be sent, or no more than a pin.
fn settle(changes: &mut Changes, seen: &View<'_>, archive: &ImageArchive, path: &Path, on_host: &[ImageOnHost]) {
    let found = |name: &str| on_host.iter().find(|image| image.name == name);
    if let Some(differs) = difference(archive, on_host) {
        // How much is to be sent is good to know, and no more.
        let reason = format!("{differs} ({})", most(archive, seen.blobs().ok().flatten()));
        let ImageArchive { names, id, size, .. } = archive.clone();
        changes.on_host(seen, reason, HostAction::Import(ImageImport { archive: path.to_owned(), names, id, size }));
        return;
    }
    for name in archive.names.iter().filter(|name| found(name).is_some_and(|image| !image.pinned)) {
        changes.on_host(seen, format!("{name} may be collected as garbage"), HostAction::PinImage { name: name.clone() });
    }
}

/// Enough of a digest to know it by.
fn short(id: &str) -> &str {
    id.get(.."sha256:".len() + 12).unwrap_or(id)
}

/// A size for people.
fn bytes(size: u64) -> String {
    match size {
        0..1_000 => format!("{size} B"),
        1_000..1_000_000 => format!("{} kB", size / 1_000),
        _ => format!("{}.{} MB", size / 1_000_000, size % 1_000_000 / 100_000),
    }
}

impl Step for Images {
    fn id(&self) -> StepId {
        StepId::of("images")
    }

    fn scope(&self) -> Scope {
        Scope::Host(self.host.clone())
    }

    fn questions(&self, seen: &View<'_>) -> Vec<Question> {
        let archives = self.archives.iter().map(|path| Question::Operator(OperatorQuestion::Archive(path.clone())));
        let mut questions: Vec<Question> = std::iter::once(seen.ask(HostQuestion::Images)).chain(archives).collect();
        let differs = |on_host: &[ImageOnHost], path: &PathBuf| {
            seen.archive(path).ok().flatten().is_some_and(|archive| difference(archive, on_host).is_some())
        };
        if let Ok(Some(on_host)) = seen.images()
            && self.archives.iter().any(|path| differs(on_host, path))
        {
            questions.push(seen.ask(HostQuestion::Blobs));
        }
        questions
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        let mut archives = Vec::new();
        let mut findings = Vec::new();
        for path in &self.archives {
            match seen.archive(path)? {
                None => findings.push(Finding::new(format!("{} is absent", path.display()), "build it: bedplate sends what is there")),
                Some(archive) if archive.names.is_empty() => {
                    findings.push(Finding::new(format!("{} names no image", path.display()), "save it by its name and tag, not by its id"));
                }
                Some(archive) => archives.push((path, archive)),
            }
        }
        if !findings.is_empty() {
            return Ok(Plan::Unmet(findings).into());
        }
        let stopped = || Missing { question: seen.ask(HostQuestion::Images), why: Why::Unreadable("containerd does not run yet".into()) };
        let on_host = seen.images()?.ok_or_else(stopped)?;
        let mut changes = Changes::default();
        for (path, archive) in archives {
            settle(&mut changes, seen, archive, path, on_host);
        }
        Ok(changes.into())
    }
}
