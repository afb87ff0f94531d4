//! From the file to the checked inventory.

use std::path::{Path, PathBuf};

use toml::de::DeTable;

use super::problem::Flaws;
use super::tree::Spot;
use super::{Inventory, Problem, lint, resolve, shape};
use crate::playbook;

/// A checked inventory.
#[derive(Debug)]
pub struct Loaded {
    /// Every path in it is absolute.
    pub inventory: Inventory,
    /// What the user should know and need not change.
    pub warnings: Vec<Problem>,
    /// The inventory's folder, absolute: where `bedplate.lock` lies.
    pub folder: PathBuf,
}

/// Reads and judges an inventory: its grammar, its sense, and the files on the operator's disk that it names. Contacts nothing.
///
/// # Errors
/// Every problem at once, in the order of the text.
pub fn load(path: &Path) -> Result<Loaded, Vec<Problem>> {
    let file = path.display().to_string();
    let unread = |error: std::io::Error| {
        let cure = "name an inventory that exists and can be read; inventory.example.toml shows one".to_owned();
        vec![Problem {
            line: 1,
            column: 1,
            file: file.clone(),
            message: format!("could not read it: {error}"),
            cure,
            snippet: String::new(),
        }]
    };
    let text = std::fs::read_to_string(path).map_err(unread)?;
    let folder = std::path::absolute(path).map_err(unread)?.parent().map(Path::to_owned).unwrap_or_default();
    let (read, mut flaws) = read(&text, &folder);
    let Some((inventory, tree)) = read else {
        return Err(flaws.locate(&file, &text).0);
    };
    let damaged = flaws.sections();
    let mut later = lint::lint(&inventory, Spot::root(&tree));
    lint::lint_disk(&inventory, Spot::root(&tree), &mut later);
    flaws.extend(later, |section| lint::is_doubtful(section, &damaged));
    let (errors, warnings) = flaws.locate(&file, &text);
    if errors.is_empty() { Ok(Loaded { inventory, warnings, folder }) } else { Err(errors) }
}

/// Reads an inventory's text without judging its sense. `path` only names it and gives the folder of relative paths.
///
/// # Errors
/// What is no TOML, unknown, missing or of the wrong type: every problem at once.
pub fn parse(text: &str, path: &Path) -> Result<Inventory, Vec<Problem>> {
    let folder = path.parent().unwrap_or(Path::new(""));
    match read(text, folder) {
        (Some((inventory, _)), flaws) if !flaws.has_errors() => Ok(inventory),
        (_, flaws) => Err(flaws.locate(&path.display().to_string(), text).0),
    }
}

fn read<'t>(text: &'t str, folder: &Path) -> (Option<(Inventory, DeTable<'t>)>, Flaws) {
    let mut flaws = Flaws::default();
    let (tree, broken) = DeTable::parse_recoverable(text);
    for error in &broken {
        let cure = match error.message() {
            "duplicate key" => "a key stands once in its table, a table once in the file; lists of tables have two brackets: `[[hosts]]`",
            _ => "this is not TOML: text goes in quotes, lists in brackets",
        };
        flaws.error_at(error.span().unwrap_or(0..0), None, error.message().to_owned(), cure.to_owned());
    }
    if flaws.has_errors() {
        return (None, flaws);
    }
    let mut read = shape::read(tree.into_inner(), &mut flaws);
    if let Some((inventory, tree)) = &mut read {
        playbooks(inventory, folder, Spot::root(tree), &mut flaws);
        resolve::resolve(inventory, folder);
    }
    (read, flaws)
}

/// Adds what the playbooks say, so that lints see it as if the user had written it.
fn playbooks(inventory: &mut Inventory, folder: &Path, root: Spot<'_>, flaws: &mut Flaws) {
    for (name, parameters) in inventory.playbooks.clone() {
        for wrong in playbook::add(inventory, &name, &parameters, folder).err().unwrap_or_default() {
            let spot = root.key("playbooks").name(&name);
            let spot = wrong.parameter.map_or(spot, |parameter| root.key("playbooks").key(&name).name(&parameter));
            flaws.error(spot, wrong.message, wrong.cure);
        }
    }
}
