//! Values without quotes: up to a comment or the line's end.

use std::ops::Range;

use super::reference::{References, Stop};
use super::{Flaw, Values, Why, joined};
use crate::model::Secret;

/// The value in `range`, which goes to the end of its line.
///
/// # Errors
/// Where it is ambiguous.
pub fn read(text: &str, range: Range<usize>, values: &Values) -> Result<Secret, Flaw> {
    let raw = &text[range.clone()];
    let raw = raw.split_once(" #").map_or(raw, |(value, _)| value).trim_end();
    if let Some(at) = raw.match_indices('#').map(|(at, _)| at).find(|at| *at == 0 || raw[..*at].ends_with(char::is_whitespace)) {
        return Err((range.start + at, Why::Hash));
    }
    let mut references = References::new(text, range.start..range.start + raw.len(), values);
    references.read(Stop::AtEnd(escape))?;
    joined(references.pieces(), range.start)
}

/// A backslash is one, but for `\$`: compose keeps the backslash and the `$` refers all the same.
const fn escape(c: char) -> Result<Option<&'static str>, Why> {
    if c == '$' { Err(Why::Escape) } else { Ok(None) }
}
