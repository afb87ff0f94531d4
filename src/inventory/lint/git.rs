//! Which rule makes git blind to a file: `git check-ignore -v`.

use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// git looks at its index and a few `.gitignore` files; a repository that needs longer is on a hung disk.
const DEADLINE: Duration = Duration::from_secs(10);

/// Whether a rule can be kept by anchoring it to the folder of its `.gitignore`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    /// Anchored, it still hides what it was most likely written for, and not this file.
    Cures,
    /// It would hide the file all the same, or is no bare word.
    Useless,
}

/// A rule that hides a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rule {
    /// As git prints it: relative to the repository's root.
    pub(super) file: String,
    pub(super) line: String,
    pub(super) pattern: String,
    /// The first file that it hides.
    pub(super) hides: PathBuf,
    /// Whether the same word with a `/` before it would leave the file alone.
    pub(super) anchor: Anchor,
}

/// The rules that hide any of `files`, which lie in `folder` or below, from git, each once. None without git, or outside a repository.
/// Files that git tracks already are not hidden, whatever the rules say.
pub(super) fn ignored(folder: &Path, files: &[PathBuf]) -> Vec<Rule> {
    let Some(printed) = check_ignore(folder, files) else { return Vec::new() };
    let mut rules: Vec<Rule> = Vec::new();
    // -z -v prints four fields a file: source, line, pattern, path (git-check-ignore(1)).
    let fields: Vec<_> = printed.split('\0').collect();
    for [file, line, pattern, path] in fields.as_chunks::<4>().0 {
        let known = rules.iter().any(|rule| rule.file == *file && rule.line == *line);
        if !known && !pattern.starts_with('!') && !pattern.is_empty() {
            let anchor = anchor(Path::new(file), pattern, Path::new(path));
            rules.push(Rule { file: (*file).into(), line: (*line).into(), pattern: (*pattern).into(), hides: path.into(), anchor });
        }
    }
    rules
}

/// A bare word hides that name at any depth; most often only the one beside `.gitignore` was meant.
fn anchor(file: &Path, pattern: &str, path: &Path) -> Anchor {
    let word = pattern.trim_end_matches('/');
    if word.contains(['/', '*', '?', '[', '\\']) || !file.ends_with(".gitignore") {
        return Anchor::Useless;
    }
    let rule_folder = file.parent().unwrap_or(file);
    let beside = |named: &Path| {
        let Some(folder) = named.parent() else { return false };
        let is_root = !rule_folder.as_os_str().is_empty() || folder.join(".git").exists();
        folder.join(".gitignore").is_file() && folder.ends_with(rule_folder) && is_root
    };
    let named: Vec<_> = path.ancestors().filter(|above| above.file_name().is_some_and(|name| name == word)).collect();
    if named.is_empty() || named.into_iter().any(beside) { Anchor::Useless } else { Anchor::Cures }
}

/// What git prints; `None` if it can't tell. Input and output go through files, so neither side can block on a full pipe.
fn check_ignore(folder: &Path, files: &[PathBuf]) -> Option<String> {
    let mut input = tempfile::tempfile().ok()?;
    for file in files {
        input.write_all(file.as_os_str().as_encoded_bytes()).ok()?;
        input.write_all(b"\0").ok()?;
    }
    input.rewind().ok()?;
    let mut output = tempfile::tempfile().ok()?;
    let mut git = Command::new("git");
    git.arg("-C").arg(folder).args(["check-ignore", "-v", "-z", "--stdin"]);
    // A hook's variables would point git at another repository.
    for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
        git.env_remove(variable);
    }
    let status = run(git.stdin(input).stdout(output.try_clone().ok()?).stderr(Stdio::null()))?;
    if !status.success() {
        return None;
    }
    let mut printed = String::new();
    output.rewind().ok()?;
    output.read_to_string(&mut printed).ok()?;
    Some(printed)
}

fn run(command: &mut Command) -> Option<ExitStatus> {
    let mut child = command.spawn().ok()?;
    let begun = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if begun.elapsed() < DEADLINE => std::thread::sleep(Duration::from_millis(5)),
            _ => {
                // It may have ended in between; either way it is reaped.
                let _ = child.kill();
                let _ = child.wait();
                return None;
            }
        }
    }
}
