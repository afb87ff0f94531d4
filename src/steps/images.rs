//! `images`: the inventory's archives are in the host's containerd, as they are here, and kubelet's garbage collection spares them.

mod former;
mod named;

use std::cell::LazyCell;
use std::collections::BTreeSet;

use self::former::former;
use super::artifact;
use super::changes::Changes;
use crate::inventory::{Image, Inventory};
use crate::model::{
    Finding, HostAction, HostId, HostQuestion, ImageArchive, ImageImport, ImageOnHost, ImageSource, Missing, Note, OperatorQuestion, Plan,
    Planned, Question, Scope, Size, Step, StepId, View, Why,
};

struct Images {
    host: HostId,
    wanted: Vec<Wanted>,
}

/// An image of the inventory.
#[derive(Clone)]
struct Wanted {
    source: ImageSource,
    build: Option<String>,
    keep: u8,
}

/// One a host, if there are images.
pub fn steps(inventory: &Inventory) -> Vec<Box<dyn Step>> {
    let sources = |image: &Image| {
        let keep = image.keep.unwrap_or(former::KEEP);
        image.sources().map(|source| Wanted { source, build: image.build.clone(), keep }).collect::<Vec<_>>()
    };
    let wanted: Vec<Wanted> = inventory.images.values().flat_map(sources).collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    let step = |name: &str| Images { host: HostId(name.into()), wanted: wanted.clone() };
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

/// What an import sends: on the wire it is packed, and less. Of an engine's image no blob is known before it is saved.
fn most(archive: &ImageArchive, blobs: Option<&BTreeSet<String>>) -> String {
    let missing = |blobs: &BTreeSet<String>| archive.blobs.iter().filter(|blob| !blobs.contains(&blob.digest)).map(|blob| blob.size).sum();
    match blobs.filter(|_| !archive.blobs.is_empty()).map(missing) {
        Some(missing) if missing < archive.size => format!("at most {} of {} to send", Size(missing), Size(archive.size)),
        _ => format!("at most {} to send", Size(archive.size)),
    }
}

impl Wanted {
    fn question(&self, arch: &str) -> Question {
        Question::Operator(OperatorQuestion::Image(self.source.clone(), arch.into()))
    }

    /// What its absence means to the user.
    fn absent(&self) -> Finding {
        let cure = match (&self.build, &self.source) {
            (Some(build), _) => format!("`{build}` makes it, which bootstrap runs before it looks; see what that says"),
            (None, ImageSource::Archive(_)) => "build it: bedplate sends what is there".into(),
            (None, ImageSource::Docker(_) | ImageSource::Podman(_)) => {
                "build it, or mend its name; a tag that is not written is `latest`".into()
            }
            (None, ImageSource::Registry(_)) => "push it, or mend its name; a tag that is not written is `latest`".into(),
        };
        Finding::new(format!("{} is absent", self.source), cure)
    }

    /// What the image needs: to be sent, or no more than a pin.
    fn settle(&self, changes: &mut Changes, seen: &View<'_>, archive: &ImageArchive, arch: &str, on_host: &[ImageOnHost]) {
        let found = |name: &str| on_host.iter().find(|image| image.name == name);
        if let Some(differs) = difference(archive, on_host) {
            // How much is to be sent is good to know, and no more.
            let reason = format!("{differs} ({})", most(archive, seen.blobs().ok().flatten()));
            let ImageArchive { names, id, size, .. } = archive.clone();
            let import = ImageImport { source: self.source.clone(), arch: arch.to_owned(), names, id, size };
            changes.on_host(seen, reason, HostAction::Import(import));
            return;
        }
        for name in archive.names.iter().filter(|name| found(name).is_some_and(|image| !image.pinned)) {
            changes.on_host(seen, format!("{name} may be collected as garbage"), HostAction::PinImage { name: name.clone() });
        }
    }
}

/// Enough of a digest to know it by.
fn short(id: &str) -> &str {
    id.get(.."sha256:".len() + 12).unwrap_or(id)
}

impl Step for Images {
    fn id(&self) -> StepId {
        StepId::of("images")
    }

    fn scope(&self) -> Scope {
        Scope::Host(self.host.clone())
    }

    fn questions(&self, seen: &View<'_>) -> Vec<Question> {
        let mut questions = vec![seen.ask(HostQuestion::Facts), seen.ask(HostQuestion::Images)];
        let Ok(arch) = artifact::machine(seen, "image") else { return questions };
        questions.extend(self.wanted.iter().map(|wanted| wanted.question(arch)));
        let differs = |wanted: &Wanted, on_host: &[ImageOnHost]| {
            seen.image(&wanted.source, arch).ok().flatten().is_some_and(|archive| difference(archive, on_host).is_some())
        };
        if let Ok(Some(on_host)) = seen.images()
            && self.wanted.iter().any(|wanted| differs(wanted, on_host))
        {
            questions.push(seen.ask(HostQuestion::Blobs));
        }
        let archives: Option<Vec<_>> =
            self.wanted.iter().map(|wanted| Some((seen.image(&wanted.source, arch).ok().flatten()?, wanted.keep))).collect();
        if let (Some(archives), Ok(Some(on_host))) = (archives, seen.images()) {
            let asked = former(&archives, on_host).into_values().map(|former| former.asked());
            let former: Vec<_> = asked.filter(|ids| !ids.is_empty()).map(|ids| seen.ask(HostQuestion::Former(ids))).collect();
            questions.extend(named::questions().filter(|_| !former.is_empty()));
            questions.extend(former);
        }
        questions
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        let arch = artifact::machine(seen, "image")?;
        let mut archives = Vec::new();
        let mut findings = Vec::new();
        for wanted in &self.wanted {
            match seen.image(&wanted.source, arch)? {
                None => findings.push(wanted.absent()),
                Some(archive) if archive.names.is_empty() => {
                    findings.push(Finding::new(format!("{} names no image", wanted.source), "save it by its name and tag, not by its id"));
                }
                Some(archive) => archives.push((wanted, archive)),
            }
        }
        if !findings.is_empty() {
            return Ok(Plan::Unmet(findings).into());
        }
        let stopped = || Missing { question: seen.ask(HostQuestion::Images), why: Why::Unreadable("containerd does not run yet".into()) };
        let on_host = seen.images()?.ok_or_else(stopped)?;
        let mut changes = Changes::default();
        for (wanted, archive) in &archives {
            wanted.settle(&mut changes, seen, archive, arch, on_host);
        }
        let archives: Vec<_> = archives.iter().map(|(wanted, archive)| (*archive, wanted.keep)).collect();
        // Lists of the whole cluster are read once, and only where something may go.
        let named = LazyCell::new(|| named::named(seen));
        for former in former(&archives, on_host).into_values() {
            let asked = former.asked();
            if asked.is_empty() {
                continue;
            }
            // What can't be seen may name any of them.
            let Some(named) = &*named else { continue };
            let known = seen.former(&asked)?.map(Vec::as_slice).unwrap_or_default();
            let is_named = |id: &str| on_host.iter().any(|image| image.id == id && named.contains(&image.name));
            let (spent, keep) = former.spent(known, is_named);
            for (id, name) in spent {
                let reason = format!("{name} is older than the former ones that stay ({keep})");
                changes.on_host(seen, reason, HostAction::RemoveImage { name: name.to_owned(), id: id.to_owned() });
            }
        }
        let built = self.wanted.iter().filter_map(|wanted| {
            let build = wanted.build.as_ref()?;
            Some(Note::Fact(format!("{} is what `{build}` made last; bootstrap runs it again before it looks", wanted.source)))
        });
        Ok(Planned::from(changes).with_notes(built.collect()))
    }
}
