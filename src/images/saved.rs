//! An engine's images, saved as docker-archives: `ID.tar`.

use std::path::{Path, PathBuf};

use super::engine::{Engine, Inspected};
use super::layout::is_digest;
use super::platform;
use super::store::{Fetched, archive, forget, temp};
use crate::model::{ImageArchive, full_reference};

/// What an image is. It bears the name that the user wrote, whatever the engine calls it.
pub(super) async fn ask(engine: &Engine, name: &str, arch: &str, kept: &Path) -> Result<Option<ImageArchive>, String> {
    let names = vec![full_reference(name)?];
    let Some(seen) = engine.inspect(&tagged(name)).await? else { return Ok(None) };
    let path = place(kept, &seen)?;
    if seen.descriptor.is_none() && !path.exists() {
        platform::fits(&seen.architecture, arch)?;
        return Ok(Some(ImageArchive { names, id: seen.id, size: seen.size, blobs: Vec::new() }));
    }
    // What the id of Docker's newer store leads to is told by the archive alone.
    let (_, image) = fetch(engine, name, arch, kept, &|_, _| {}).await?;
    Ok(Some(ImageArchive { names, ..image }))
}

/// Where its archive lies, and what that holds. Older ones are forgotten.
pub(super) async fn fetch(
    engine: &Engine,
    name: &str,
    arch: &str,
    kept: &Path,
    sent: Fetched<'_>,
) -> Result<(PathBuf, ImageArchive), String> {
    let image = tagged(name);
    let seen = engine.inspect(&image).await?.ok_or("it is gone")?;
    let path = place(kept, &seen)?;
    // One that was cut or changed since is made anew.
    if let Ok(Some(image)) = archive(&path, arch).await {
        return Ok((path, image));
    }
    let unwritten = |error: std::io::Error| format!("write to {}: {error}", kept.display());
    let mut temp = temp(kept).map_err(unwritten)?;
    engine.save(&image, &mut temp, &|bytes| sent(bytes, seen.size)).await?;
    temp.as_file().sync_all().map_err(unwritten)?;
    temp.persist(&path).map_err(|error| unwritten(error.error))?;
    forget(kept, |file| file == path)?;
    let image = archive(&path, arch).await?.ok_or("it is gone")?;
    Ok((path, image))
}

fn place(kept: &Path, seen: &Inspected) -> Result<PathBuf, String> {
    if !is_digest(&seen.id) {
        return Err(format!("its id {:?} is no sha256 digest", seen.id));
    }
    Ok(kept.join(format!("{}.tar", seen.id.trim_start_matches("sha256:"))))
}

/// Without a tag an engine saves all of a repository's images.
fn tagged(name: &str) -> String {
    let last = name.rsplit('/').next().unwrap_or_default();
    if last.contains([':', '@']) { name.to_owned() } else { format!("{name}:latest") }
}
