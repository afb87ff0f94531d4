//! A chart on the operator's side: its name, version and digest.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::helmignore::Ignored;
use crate::model::ChartFacts;

/// A chart's files by their path in the chart.
pub type Files = BTreeMap<PathBuf, Vec<u8>>;

/// `Chart.yaml`: what of it matters here.
#[derive(Deserialize)]
struct Chart {
    name: String,
    version: String,
}

/// Reads a chart's folder or `.tgz`.
///
/// # Errors
/// In words: it can't be read, or its `Chart.yaml` lacks or is wrong.
pub fn read(path: &Path) -> Result<ChartFacts, String> {
    let files = files(path)?;
    let text = files.get(Path::new("Chart.yaml")).ok_or_else(|| format!("{} holds no Chart.yaml", path.display()))?;
    let text = std::str::from_utf8(text).map_err(|_| "Chart.yaml is not UTF-8".to_owned())?;
    let chart: Chart = serde_saphyr::from_str(text).map_err(|error| format!("Chart.yaml: {error}"))?;
    let mut sum = Sha256::new();
    for (name, content) in &files {
        sum.update(format!("{} {}\n", content.len(), name.display()));
        sum.update(content);
    }
    let digest = format!("{:x}", sum.finalize()).chars().take(40).collect();
    Ok(ChartFacts { name: chart.name, version: chart.version, digest })
}

/// All files of a chart, as helm finds them.
///
/// # Errors
/// In words: it can't be read.
pub fn files(path: &Path) -> Result<Files, String> {
    let mut files = Files::new();
    let said = |error: io::Error| at(path, &error);
    if path.is_dir() {
        let rules = path.join(".helmignore");
        let rules = if rules.exists() { fs::read_to_string(&rules).map_err(|error| at(&rules, &error))? } else { String::new() };
        folder(path, path, &Ignored::read(&rules)?, &mut files)?;
        return Ok(files);
    }
    let mut archive = tar::Archive::new(GzDecoder::new(fs::File::open(path).map_err(said)?));
    for entry in archive.entries().map_err(said)? {
        let mut entry = entry.map_err(said)?;
        let inside: PathBuf = entry.path().map_err(said)?.components().skip(1).collect();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).map_err(said)?;
        files.insert(inside, content);
    }
    Ok(files)
}

fn folder(root: &Path, path: &Path, ignored: &Ignored, files: &mut Files) -> Result<(), String> {
    for entry in fs::read_dir(path).map_err(|error| at(path, &error))? {
        let path = entry.map_err(|error| at(path, &error))?.path();
        let Ok(inside) = path.strip_prefix(root) else { continue };
        let meta = match fs::metadata(&path) {
            // An Emacs that has a file open leaves a link to nowhere beside it.
            Err(_) if path.is_symlink() && path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".#")) => continue,
            meta => meta.map_err(|error| at(&path, &error))?,
        };
        if ignored.leaves_out(inside, meta.file_type()) {
            continue;
        }
        if meta.is_dir() {
            folder(root, &path, ignored, files)?;
        } else if meta.is_file() {
            files.insert(inside.to_owned(), fs::read(&path).map_err(|error| at(&path, &error))?);
        } else {
            return Err(format!("{} is no file", path.display()));
        }
    }
    Ok(())
}

fn at(path: &Path, error: &io::Error) -> String {
    format!("{}: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_file_changes_the_digest() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("Chart.yaml"), "name: shop\nversion: 1.2.3\n").unwrap();
        fs::create_dir(folder.path().join("templates")).unwrap();
        fs::write(folder.path().join("templates/web.yaml"), "a: 1\n").unwrap();
        let before = read(folder.path()).unwrap();
        assert_eq!((before.name.as_str(), before.version.as_str(), before.digest.len()), ("shop", "1.2.3", 40));
        fs::write(folder.path().join("templates/web.yaml"), "a: 2\n").unwrap();
        assert_ne!(read(folder.path()).unwrap().digest, before.digest);
    }

    #[test]
    fn what_helm_leaves_out_is_no_change_and_what_leads_nowhere_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("templates")).unwrap();
        fs::write(at("Chart.yaml"), "name: shop\nversion: 1.2.3\n").unwrap();
        fs::write(at(".helmignore"), ".git/\n*.swp\n").unwrap();
        let before = read(folder.path()).unwrap();
        fs::create_dir(at(".git")).unwrap();
        for name in [".git/HEAD", "web.swp", "templates/.web.yaml.swp"] {
            fs::write(at(name), "a").unwrap();
        }
        for name in [".#Chart.yaml", "templates/.#web.yaml"] {
            std::os::unix::fs::symlink("me@here.4711", at(name)).unwrap();
        }
        assert_eq!(read(folder.path()), Ok(before));
        std::os::unix::fs::symlink("gone.yaml", at("values.yaml")).unwrap();
        assert!(read(folder.path()).is_err_and(|why| why.contains("values.yaml")));
    }
}
