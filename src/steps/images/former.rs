//! Former versions of the inventory's images: of each repository those that came last stay, those that containers use, and
//! those that pods are to run.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{FormerImage, ImageArchive, ImageOnHost};

/// How many stay where the inventory does not say: enough for a release that is rolled back.
pub(super) const KEEP: u8 = 3;

/// A repository's former images.
#[derive(Default)]
pub(super) struct Former<'a> {
    /// A name of each, with a tag if it has one, by id.
    images: BTreeMap<&'a str, &'a str>,
    keep: u8,
}

/// What the host has of these images' repositories and is not wanted any more, by repository. Only what is pinned is ours: kubelet's garbage
/// collection sees to the rest. `wanted` comes with how many stay; images that share a repository keep as many as the one that keeps most.
pub(super) fn former<'a>(wanted: &[(&'a ImageArchive, u8)], on_host: &'a [ImageOnHost]) -> BTreeMap<&'a str, Former<'a>> {
    let names: BTreeSet<&str> = wanted.iter().flat_map(|(archive, _)| &archive.names).map(String::as_str).collect();
    // One that has a name that is wanted is not former by another.
    let stays = |id: &str| on_host.iter().any(|image| image.id == id && (names.contains(image.name.as_str()) || !image.pinned));
    let mut found: BTreeMap<&str, Former<'_>> = BTreeMap::new();
    for (archive, keep) in wanted {
        for repository in archive.names.iter().filter_map(|name| repository(name)) {
            let former = found.entry(repository).or_default();
            former.keep = former.keep.max(*keep);
        }
    }
    for image in on_host.iter().filter(|image| image.pinned && !stays(&image.id)) {
        if let Some(former) = repository(&image.name).and_then(|repository| found.get_mut(repository)) {
            let name = former.images.entry(&image.id).or_insert(&image.name);
            if name.contains('@') {
                *name = &image.name;
            }
        }
    }
    found
}

/// Of a name with a tag or a digest.
fn repository(name: &str) -> Option<&str> {
    name.split_once('@').or_else(|| name.rsplit_once(':')).map(|(repository, _)| repository)
}

impl<'a> Former<'a> {
    /// Those of which more must be known before any goes.
    pub(super) fn asked(&self) -> Vec<String> {
        let too_many = self.images.len() > self.keep.into();
        self.images.keys().filter(|_| too_many).map(|id| (*id).to_owned()).collect()
    }

    /// Which go (id and name), the oldest first, and how many stay. One of which it is not known when it came stays, and one that pods of
    /// this cluster are to run wherever they are.
    pub(super) fn spent(&self, known: &[FormerImage], is_named: impl Fn(&str) -> bool) -> (Vec<(&'a str, &'a str)>, u8) {
        let dated = |(id, name): (&&'a str, &&'a str)| {
            known.iter().find(|image| image.id == **id).map(|image| (image.came, image.used, *id, *name))
        };
        let mut dated: Vec<_> = self.images.iter().filter_map(dated).collect();
        dated.sort();
        let many = dated.len().saturating_sub(self.keep.into());
        let spent = dated.into_iter().take(many).filter(|(_, used, id, _)| !used && !is_named(id)).map(|(_, _, id, name)| (id, name));
        (spent.collect(), self.keep)
    }
}
