//! `[images]`: one source each, and names that are image references.

use crate::inventory::Inventory;
use crate::inventory::problem::Flaws;
use crate::inventory::tree::Spot;
use crate::model::full_reference;

pub(super) fn lint(inventory: &Inventory, root: Spot<'_>, flaws: &mut Flaws) {
    for (name, image) in &inventory.images {
        let spot = root.key("images").key(name);
        match image.sources().count() {
            1 => {}
            0 => flaws.error(spot, format!("image `{name}` comes from nowhere"), "add `archive`, `docker`, `podman` or `registry`"),
            _ => flaws.error(spot, format!("image `{name}` comes from several places"), "name one of them"),
        }
        for (key, reference) in [("docker", &image.docker), ("podman", &image.podman), ("registry", &image.registry)] {
            if let Some(why) = reference.as_ref().and_then(|reference| full_reference(reference).err()) {
                flaws.error(spot.key(key), why, "write it as in `image:` of a pod");
            }
        }
        for (key, reference) in [("docker", &image.docker), ("podman", &image.podman)] {
            if reference.as_ref().is_some_and(|reference| reference.contains('@')) {
                flaws.error(spot.key(key), format!("image `{name}`: what {key} saves by a digest bears no name"), "name it by its tag");
            }
        }
        if image.build.as_ref().is_some_and(|command| command.trim().is_empty()) {
            flaws.error(spot.key("build"), format!("image `{name}` is built by no command"), "write one, e.g. \"make image\"");
        }
    }
}
