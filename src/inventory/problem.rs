//! What is wrong with an inventory, where, and what cures it.

use std::fmt;
use std::ops::Range;

use super::tree::Spot;

/// One problem of an inventory, located.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Counts from 1.
    pub line: usize,
    /// Characters, counts from 1.
    pub column: usize,
    /// The inventory's path as the user gave it.
    pub file: String,
    /// What is wrong: lower case, one line, never a secret.
    pub message: String,
    /// What the user can do.
    pub cure: String,
    /// The source line; empty when the file could not be read or the line may hold a secret.
    pub snippet: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.message)?;
        if !self.snippet.is_empty() {
            // Tabs are kept, so the caret stands under its column whatever their width.
            let margin: String =
                self.snippet.chars().take(self.column.saturating_sub(1)).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
            write!(f, "\n  {}\n  {margin}^", self.snippet)?;
        }
        if self.cure.is_empty() { Ok(()) } else { write!(f, "\n  cure: {}", self.cure) }
    }
}

/// A problem before its line is known.
struct Flaw {
    span: Range<usize>,
    section: Option<String>,
    message: String,
    cure: String,
}

/// Flaws as they are found: errors, which refuse the inventory, and warnings, which do not.
#[derive(Default)]
pub(super) struct Flaws {
    errors: Vec<Flaw>,
    warnings: Vec<Flaw>,
}

impl Flaws {
    pub(super) fn error(&mut self, spot: Spot<'_>, message: impl Into<String>, cure: impl Into<String>) {
        self.errors.push(Flaw::new(spot, message.into(), cure.into()));
    }

    pub(super) fn warning(&mut self, spot: Spot<'_>, message: impl Into<String>, cure: impl Into<String>) {
        self.warnings.push(Flaw::new(spot, message.into(), cure.into()));
    }

    /// An error at bytes of the text, outside any tree.
    pub(super) fn error_at(&mut self, span: Range<usize>, section: Option<String>, message: String, cure: String) {
        self.errors.push(Flaw { span, section, message, cure });
    }

    pub(super) fn has_errors(&self) -> bool {
        !self.errors.is_empty()
    }

    /// The top-level tables that have errors; `None` stands for the top level itself.
    pub(super) fn sections(&self) -> Vec<Option<String>> {
        self.errors.iter().map(|flaw| flaw.section.clone()).collect()
    }

    /// Adds what `later` found, less the echoes of what was found before: at the same place, or in a section for which `doubtful` holds.
    pub(super) fn extend(&mut self, later: Self, doubtful: impl Fn(Option<&str>) -> bool) {
        let known: Vec<_> = self.errors.iter().map(|flaw| flaw.span.clone()).collect();
        let is_new = |flaw: &Flaw| !doubtful(flaw.section.as_deref()) && !known.contains(&flaw.span);
        self.errors.extend(later.errors.into_iter().filter(&is_new));
        self.warnings.extend(later.warnings.into_iter().filter(&is_new));
    }

    /// Errors and warnings with their lines, in the order of the text.
    pub(super) fn locate(self, file: &str, text: &str) -> (Vec<Problem>, Vec<Problem>) {
        let located = |flaws: Vec<Flaw>| {
            let mut problems: Vec<_> = flaws.into_iter().map(|flaw| flaw.locate(file, text)).collect();
            problems.sort();
            problems.dedup();
            problems
        };
        (located(self.errors), located(self.warnings))
    }
}

impl Flaw {
    fn new(spot: Spot<'_>, message: String, cure: String) -> Self {
        Self { span: spot.span(), section: spot.section().map(str::to_owned), message, cure }
    }

    fn locate(self, file: &str, text: &str) -> Problem {
        let before = text.get(..self.span.start).unwrap_or(text);
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = text[start..].lines().next().unwrap_or_default();
        let snippet = if self.may_show_secret(line) { String::new() } else { line.to_owned() };
        Problem {
            line: before.matches('\n').count() + 1,
            column: before[start..].chars().count() + 1,
            file: file.to_owned(),
            message: self.message,
            cure: self.cure,
            snippet,
        }
    }

    /// Whether the line holds a key under which k3s and containerd take credentials in plain text.
    fn may_show_secret(&self, line: &str) -> bool {
        matches!(self.section.as_deref(), None | Some("k3s" | "registries"))
            && ["password", "token", "auth", "secret-key", "datastore-endpoint"].iter().any(|word| line.contains(word))
    }
}
