//! Paths as the user wrote them -> absolute paths.

use std::path::{Path, PathBuf};

use super::Inventory;

/// Makes every path of the inventory absolute: relative ones against `folder`, `~/…` against the operator's home.
pub(super) fn resolve(inventory: &mut Inventory, folder: &Path) {
    let home = etcetera::home_dir().ok();
    let settle = |path: &mut PathBuf| {
        *path = match (path.strip_prefix("~"), &home) {
            (Ok(rest), Some(home)) => home.join(rest),
            _ => tidy(folder, path),
        };
    };
    for host in &mut inventory.hosts {
        host.identity_file.iter_mut().for_each(settle);
    }
    settle(&mut inventory.kubeconfig.path);
    for acme in inventory.acme.iter_mut().flat_map(|acme| [&mut acme.staging, &mut acme.production]) {
        acme.server_ca.iter_mut().chain(&mut acme.roots).for_each(settle);
    }
    inventory.images.values_mut().filter_map(|image| image.archive.as_mut()).for_each(settle);
    for secret in &mut inventory.secrets {
        secret.settle(settle, folder);
    }
    for release in &mut inventory.releases {
        settle(&mut release.chart);
        release.values.iter_mut().for_each(settle);
    }
    for site in &mut inventory.sites {
        site.files_mut().for_each(settle);
    }
    if is_folder(&inventory.source) {
        inventory.source = tidy(folder, Path::new(&inventory.source)).to_string_lossy().into_owned();
    }
}

/// Whether a `source` names a folder, as opposed to `upstream` and URLs.
pub(super) fn is_folder(source: &str) -> bool {
    source != "upstream" && !source.contains("://")
}

/// `folder` joined with `path`, without `./` in between: paths stand in plans, where `/x/./y` reads badly.
fn tidy(folder: &Path, path: &Path) -> PathBuf {
    folder.join(path).components().collect()
}
