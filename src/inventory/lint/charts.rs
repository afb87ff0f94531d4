//! Charts and values files on the operator's disk: there, readable, and seen by git.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::inventory::Inventory;
use crate::inventory::problem::Flaws;
use crate::inventory::tree::Spot;

use super::git::{self, Anchor};

/// More files than this are no chart.
const MOST_FILES: usize = 2000;

pub(super) fn lint(inventory: &Inventory, root: Spot<'_>, flaws: &mut Flaws) {
    for (release, spot) in super::placed(&inventory.releases, root.key("releases"), root) {
        chart(&release.chart, spot.key("chart"), flaws);
        for (path, spot) in release.values.iter().zip(spot.key("values").items()) {
            if path.is_file() {
                values(path, spot, flaws);
                unseen(path, spot, flaws);
            } else {
                flaws.error(
                    spot,
                    format!("the values file {} is not there", spot.text()),
                    "correct the path; it is relative to the inventory",
                );
            }
        }
    }
}

fn chart(path: &Path, spot: Spot<'_>, flaws: &mut Flaws) {
    let name = spot.text();
    if path.is_file() && path.extension().is_some_and(|end| end == "tgz") {
        ignored(&[path.to_owned()], spot, flaws);
    } else if !path.exists() {
        flaws.error(spot, format!("the chart {name} is not there"), "correct the path; it is relative to the inventory");
    } else if !path.join("Chart.yaml").is_file() {
        flaws.error(spot, format!("{name} is no chart: it has no Chart.yaml"), "name the folder that holds Chart.yaml, or a .tgz");
    } else {
        let mut files = vec![path.join("Chart.yaml")];
        files.extend(["values.yaml", "values.schema.json"].map(|name| path.join(name)).into_iter().filter(|path| path.is_file()));
        collect(&path.join("templates"), &mut files);
        collect(&path.join("crds"), &mut files);
        ignored(&files, spot, flaws);
        values(&path.join("values.yaml"), spot, flaws);
    }
}

/// Files of a chart's source below a folder, not the litter of editors. Links are not followed, so a loop can't catch it.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if files.len() >= MOST_FILES {
            return;
        }
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => collect(&entry.path(), files),
            Ok(_)
                if entry
                    .path()
                    .extension()
                    .is_some_and(|end| ["yaml", "yml", "tpl", "json", "txt"].iter().any(|source| end == *source)) =>
            {
                files.push(entry.path())
            }
            _ => {}
        }
    }
}

/// A chart that git does not see is lost with this disk, and no reviewer ever reads it.
fn ignored(files: &[PathBuf], spot: Spot<'_>, flaws: &mut Flaws) {
    let named = spot.text();
    let Some(folder) = files.first().and_then(|file| file.parent()) else { return };
    for git::Rule { file, line, pattern, hides, anchor } in git::ignored(folder, files) {
        let hidden = hides.file_name().unwrap_or_default().to_string_lossy();
        let what = if Path::new(named).ends_with(&*hidden) { named.to_owned() } else { format!("{hidden} of {named}") };
        let cure = match anchor {
            Anchor::Cures => format!("write `/{pattern}` on line {line} of {file}, then `git add {named}`"),
            Anchor::Useless => format!("take that rule out, or `git add --force {named}`"),
        };
        flaws.error(spot, format!("git ignores {what}: {file}:{line} says `{pattern}`"), cure);
    }
}

/// Values that git does not see may be left out on purpose, as they are of this place alone.
fn unseen(path: &PathBuf, spot: Spot<'_>, flaws: &mut Flaws) {
    let Some(folder) = path.parent() else { return };
    for git::Rule { file, line, pattern, .. } in git::ignored(folder, std::slice::from_ref(path)) {
        let message = format!("git ignores {}: {file}:{line} says `{pattern}`: it is lost with this disk", spot.text());
        flaws.warning(spot, message, "take that rule out, unless what it hides is secret: that is better kept in [[secrets]]");
    }
}

/// `latest` is another image tomorrow, and nothing can be rolled back to it.
fn values(path: &Path, spot: Spot<'_>, flaws: &mut Flaws) {
    let Ok(text) = std::fs::read_to_string(path) else { return };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match serde_saphyr::from_str::<Value>(&text) {
        Ok(values) => {
            let mut found = Vec::new();
            floating(&values, String::new(), &mut found);
            for place in found {
                let message = format!("{name}: `{place}` is the tag `latest`: what runs can't be told or rolled back");
                flaws.warning(spot, message, "name a version or a commit");
            }
        }
        Err(error) => {
            let first = error.to_string().lines().next().unwrap_or_default().to_owned();
            flaws.error(spot, format!("{name} is not YAML: {first}"), "correct it; `helm lint` shows the place");
        }
    }
}

fn floating(value: &Value, place: String, found: &mut Vec<String>) {
    match value {
        Value::Object(table) => {
            for (key, value) in table {
                let place = if place.is_empty() { key.clone() } else { format!("{place}.{key}") };
                let floats =
                    value.as_str().is_some_and(|text| (key == "tag" && text == "latest") || (key == "image" && text.ends_with(":latest")));
                if floats {
                    found.push(place);
                } else {
                    floating(value, place, found);
                }
            }
        }
        Value::Array(items) => items.iter().enumerate().for_each(|(n, item)| floating(item, format!("{place}[{n}]"), found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floating_tags_are_found_wherever_they_stand() {
        let values = serde_json::json!({
            "web": { "image": { "repository": "shop/web", "tag": "latest" } },
            "jobs": [{ "image": "shop/job:latest" }, { "image": "shop/job:1", "tag": "1" }],
            "note": "latest",
        });
        let mut found = Vec::new();
        floating(&values, String::new(), &mut found);
        assert_eq!(found, ["jobs[0].image", "web.image.tag"]);
    }
}
