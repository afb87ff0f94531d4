//! What helm leaves out of a chart's folder: what `.helmignore` names, and hidden files of `templates/` (helm: internal/ignore/rules.go).

use std::path::Path;

use globset::{GlobBuilder, GlobMatcher};

/// What it names beside anything else.
const ALWAYS: &str = "templates/.?*";

/// A `.helmignore`.
pub(super) struct Ignored(Vec<Rule>);

struct Rule {
    pattern: GlobMatcher,
    against: Against,
    wants: Wants,
    means: Means,
}

enum Against {
    Name,
    Path,
}

#[derive(PartialEq)]
enum Wants {
    Anything,
    Folder,
}

#[derive(PartialEq)]
enum Means {
    Out,
    In,
}

impl Ignored {
    /// Reads the file's text.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let text = text.trim_start_matches('\u{feff}');
        let lines = text.lines().chain([ALWAYS]).map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        lines.map(|line| rule(line).map_err(|why| format!(".helmignore: {line}: {why}"))).collect::<Result<_, _>>().map(Self)
    }

    /// Whether it leaves out what lies at `path` in the chart.
    pub(super) fn leaves_out(&self, path: &Path, kind: std::fs::FileType) -> bool {
        let matches = |rule: &&Rule| {
            let of_kind = rule.wants == Wants::Anything || kind.is_dir();
            of_kind
                && match rule.against {
                    Against::Path => rule.pattern.is_match(path),
                    Against::Name => path.file_name().is_some_and(|name| rule.pattern.is_match(name)),
                }
        };
        let mut matching = self.0.iter().filter(matches).peekable();
        // One `!` outweighs all others, wherever it stands.
        matching.peek().is_some() && matching.all(|rule| rule.means == Means::Out)
    }
}

fn rule(line: &str) -> Result<Rule, String> {
    if line.contains("**") {
        return Err("helm knows no **".into());
    }
    let (means, line) = line.strip_prefix('!').map_or((Means::Out, line), |rest| (Means::In, rest));
    let (wants, line) = line.strip_suffix('/').map_or((Wants::Anything, line), |rest| (Wants::Folder, rest));
    let against = if line.contains('/') { Against::Path } else { Against::Name };
    // Braces mean themselves.
    let line = line.trim_start_matches('/').replace('{', "[{]").replace('}', "[}]");
    let pattern = GlobBuilder::new(&line).literal_separator(true).backslash_escape(true).build();
    Ok(Rule { pattern: pattern.map_err(|error| error.kind().to_string())?.compile_matcher(), against, wants, means })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Names end with a slash where they are folders.
    fn left_out(text: &str, names: &[&str]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let (file, ignored) = (folder.path().join("file"), Ignored::read(text).unwrap());
        fs::write(&file, "").unwrap();
        let kind = |name: &str| fs::metadata(if name.ends_with('/') { folder.path() } else { &file }).unwrap().file_type();
        let out = names.iter().filter(|name| ignored.leaves_out(Path::new(name.trim_end_matches('/')), kind(name)));
        out.map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn rules_mean_what_helm_says() {
        assert_eq!(left_out("", &[".git/", "templates/.web.swp", "a/templates/.b", "web.swp"]), ["templates/.web.swp"]);
        assert_eq!(left_out("# a\n.git/\n*.swp\r\n", &[".git/", "a/.git/", ".git", "a/b.swp"]), [".git/", "a/.git/", "a/b.swp"]);
        assert_eq!(left_out("/ci\ndocs/*.md\n", &["ci/", "a/ci", "docs/a.md", "docs/b/a.md", "a.md"]), ["ci/", "docs/a.md"]);
        assert_eq!(
            left_out("!keep.txt\n*.txt\n{a,b}\n[c-d]?\n", &["keep.txt", "a.txt", "a", "{a,b}", "c1", "e1"]),
            ["a.txt", "{a,b}", "c1"]
        );
        assert!(Ignored::read("a/**/b").is_err_and(|why| why.contains("a/**/b")));
    }
}
