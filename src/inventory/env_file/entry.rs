//! One entry: its name, and where its value ends.

use super::{Flaw, Values, Why, is_blank, quoted, unquoted};
use crate::inventory::grammar;
use crate::model::Secret;

/// A key, where it stands, and what it is set to.
type Entry<'t> = (&'t str, usize, Result<Secret, Flaw>);

/// Where the next entry begins: blanks, empty lines and comments are passed over.
pub fn start(text: &str, from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += text[at..].find(|c: char| !c.is_whitespace())?;
        if !text[at..].starts_with('#') {
            return Some(at);
        }
        at += text[at..].find('\n')?;
    }
}

/// The entry at `start`, and where the next one may begin.
pub fn read<'t>(text: &'t str, start: usize, values: &Values) -> (Result<Entry<'t>, Flaw>, usize) {
    let line_end = line_end(text, start);
    let (key, key_at, value_at) = match name(text, start, line_end) {
        Ok(found) => found,
        Err(flaw) => return (Err(flaw), line_end),
    };
    let blanks = text[value_at..line_end].find(|c| !is_blank(c)).unwrap_or(line_end - value_at);
    let value_at = value_at + blanks;
    let (value, end) = match text[value_at..].chars().next() {
        Some(quote @ ('"' | '\'')) => match quoted::closing(text, value_at + 1, quote) {
            Some(end) => (value_in_quotes(text, value_at + 1..end, quote, values), self::line_end(text, end)),
            None => (Err((value_at, Why::Unclosed(key.to_owned()))), line_end),
        },
        _ => (unquoted::read(text, value_at..line_end, values), line_end),
    };
    (Ok((key, key_at, value)), end)
}

fn line_end(text: &str, from: usize) -> usize {
    text[from..].find('\n').map_or(text.len(), |at| from + at)
}

/// `KEY=`, `export KEY=` or `KEY: `, and where what follows begins.
fn name(text: &str, start: usize, end: usize) -> Result<(&str, usize, usize), Flaw> {
    let line = &text[start..end];
    let exported =
        line.strip_prefix("export").filter(|rest| rest.starts_with([' ', '\t'])).map(|rest| rest.trim_start_matches([' ', '\t']));
    let rest = exported.unwrap_or(line);
    let key_at = end - rest.len();
    let Some(sign) = rest.find(['=', ':']) else {
        return Err((start, Why::NoEquals(shown(rest.trim_end()))));
    };
    let key = rest[..sign].trim_end_matches([' ', '\t']);
    if !grammar::variable(key) {
        return Err((key_at, Why::Name));
    }
    let value = &rest[sign + 1..];
    if rest[sign..].starts_with(':') && value.starts_with(|c| !is_blank(c)) {
        return Err((key_at + sign, Why::Colon));
    }
    Ok((key, key_at, end - value.len()))
}

/// A key without a value, if it is surely one: anything else might be a line of a secret that lost its quotes.
fn shown(bare: &str) -> Option<String> {
    let sure = grammar::variable(bare) && bare.len() <= 64 && !bare.contains(|c: char| c.is_ascii_lowercase());
    sure.then(|| bare.to_owned())
}

fn value_in_quotes(text: &str, range: std::ops::Range<usize>, quote: char, values: &Values) -> Result<Secret, Flaw> {
    let after = range.end + 1;
    let rest = &text[after..line_end(text, after)];
    match rest.find(|c: char| !c.is_whitespace()) {
        Some(at) if !rest[at..].starts_with('#') => Err((after + at, Why::AfterQuote)),
        _ => quoted::read(text, range, quote, values),
    }
}
