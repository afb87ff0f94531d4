//! Values in quotes, which may go over several lines.

use std::ops::Range;

use super::reference::{References, Stop};
use super::{Flaw, Values, Why, joined};
use crate::model::Secret;

/// Where the quote closes. A backslash covers what follows it, in single quotes too.
pub fn closing(text: &str, from: usize, quote: char) -> Option<usize> {
    let mut chars = text[from..].char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => drop(chars.next()),
            c if c == quote => return Some(from + at),
            _ => {}
        }
    }
    None
}

/// The value between the quotes.
///
/// # Errors
/// Where it is ambiguous.
pub fn read(text: &str, range: Range<usize>, quote: char, values: &Values) -> Result<Secret, Flaw> {
    if let Some(at) = text[range.clone()].find('\r') {
        return Err((range.start + at, Why::Returns));
    }
    if quote == '"' {
        let mut references = References::new(text, range.clone(), values);
        references.read(Stop::AtEnd(escape))?;
        return joined(references.pieces(), range.start);
    }
    joined(&single(&text[range.clone()]), range.start)
}

/// Only `\'` is an escape.
fn single(raw: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut kept, mut at) = (0, 0);
    while let Some(found) = raw[at..].find('\\') {
        let backslash = at + found;
        if raw[backslash + 1..].starts_with('\'') {
            pieces.push(&raw[kept..backslash]);
            kept = backslash + 1;
        }
        at = backslash + 1 + raw[backslash + 1..].chars().next().map_or(0, char::len_utf8);
    }
    pieces.push(&raw[kept..]);
    pieces
}

/// What `\` and `c` stand for in double quotes; `None`: for themselves.
fn escape(c: char) -> Result<Option<&'static str>, Why> {
    Ok(Some(match c {
        'a' => "\u{7}",
        'b' => "\u{8}",
        'f' => "\u{c}",
        'n' => "\n",
        'r' => "\r",
        't' => "\t",
        'v' => "\u{b}",
        '\\' => "\\",
        '"' => "\"",
        '$' => "$",
        // Octal, of three digits, of which compose drops one if there are more or fewer.
        '0' => return Err(Why::Escape),
        _ => return Ok(None),
    }))
}
