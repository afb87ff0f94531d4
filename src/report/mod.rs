//! Events -> what the user reads. Only this room knows of width and colour. Results go to stdout, progress to stderr.

mod bars;
mod counts;
mod diagnosis;
mod images;
mod json;
mod kept;
mod lines;
mod stream;
mod summary;
mod text;
mod verdict;

use std::io::IsTerminal;
use std::sync::Arc;

pub use diagnosis::diagnosis;
pub use images::Images;
pub use json::json_verdicts;
pub use stream::{fresh_line, progress, result};
pub use summary::{Passed, findings, plan};
pub use text::clean;
pub use verdict::verdict;

use crate::model::Sink;

/// How much is said while a run goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// Failures only.
    Quiet,
    /// What is done and what is waited for.
    Normal,
    /// And every look.
    Verbose,
}

/// In what form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// For people: bars on a terminal, else plain lines.
    Text,
    /// One JSON event a line on stdout.
    Json,
}

/// Where a run's events go.
#[must_use]
pub fn sink(form: Form, detail: Detail) -> Sink {
    match form {
        Form::Json => Arc::new(|event| json::event(&event)),
        Form::Text if detail == Detail::Normal && draws() => bars::sink(),
        Form::Text => lines::sink(detail),
    }
}

/// Whether stderr is a terminal on which lines can be drawn over.
fn draws() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("TERM").is_some_and(|term| term != "dumb")
}
