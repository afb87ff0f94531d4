//! cert-manager's chart: upstream's own, from its module, with the two versions that upstream's release tool sets.

use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use flate2::{Compression, GzBuilder};
use tar::Builder;

use super::image::append;

/// The chart's version, and that of the images which it names.
pub const VERSION: &str = "v1.20.3";
const FOLDER: &str = "deploy/charts/cert-manager";
const UNSET: &str = "version: v0.0.0";

/// Packs the chart of the module in `module` to `out`, the same bytes each time (`helm package` dates its members).
pub fn package(module: &Path, out: &Path) -> Result<()> {
    let chart = module.join(FOLDER);
    let mut files = vec![("Chart.yaml".to_owned(), head(&chart)?.into_bytes())];
    for name in ["values.yaml", "values.schema.json"] {
        files.push((name.to_owned(), read(&chart.join(name))?));
    }
    let mut templates = Vec::new();
    for entry in fs::read_dir(chart.join("templates")).context("list the chart's templates")? {
        let entry = entry?;
        templates.push((format!("templates/{}", entry.file_name().to_string_lossy()), read(&entry.path())?));
    }
    templates.sort();
    files.extend(templates);

    let file = File::create(out).with_context(|| format!("create {}", out.display()))?;
    let mut tar = Builder::new(GzBuilder::new().mtime(0).write(file, Compression::default()));
    for (name, text) in &files {
        append(&mut tar, &format!("cert-manager/{name}"), text, 0o644)?;
    }
    tar.into_inner()?.finish()?;
    Ok(())
}

fn head(chart: &Path) -> Result<String> {
    let template = String::from_utf8(read(&chart.join("Chart.template.yaml"))?)?;
    ensure!(template.contains(UNSET), "{} has no `{UNSET}` to set", chart.display());
    // `appVersion` carries the same placeholder.
    Ok(template.replace("ersion: v0.0.0", &format!("ersion: {VERSION}")).replace("{{IS_PRERELEASE}}", "false"))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("read {}", path.display()))
}
