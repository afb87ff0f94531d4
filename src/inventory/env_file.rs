//! `.env` files, read as compose reads them (compose-spec: env-file), less what is ambiguous: that is refused by line.
//! The tool's own environment is never looked at.

use std::collections::BTreeMap;

use crate::model::Secret;

use super::grammar;

/// Keys and values of a `.env` file. Quotes are taken off, a comment after a blank is dropped from an unquoted value, CR before LF too.
///
/// # Errors
/// Every refused line by number, counted from 1, and why: `export`, a key without `=`, a key twice, `$NAME` (compose would put something
/// else there), an open quote, text after a closing quote. Values are never told.
pub fn parse(text: &str) -> Result<BTreeMap<String, Secret>, Vec<(usize, String)>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut values: BTreeMap<String, (usize, Secret)> = BTreeMap::new();
    let mut refused = Vec::new();
    let mut rest = text;
    let mut number = 1;
    while !rest.is_empty() {
        let (read, used) = entry(rest);
        match read {
            Ok(None) => {}
            Ok(Some((key, value))) => match values.get(key) {
                Some((first, _)) => refused.push((number, format!("`{key}` stands on line {first} already"))),
                None => {
                    values.insert(key.to_owned(), (number, value));
                }
            },
            Err(why) => refused.push((number, why)),
        }
        number += rest[..used].matches('\n').count();
        rest = &rest[used..];
    }
    if refused.is_empty() { Ok(values.into_iter().map(|(key, (_, value))| (key, value)).collect()) } else { Err(refused) }
}

type Entry<'t> = Result<Option<(&'t str, Secret)>, String>;

/// One entry, and how many bytes it takes with its line end. A quoted value may go over several lines.
fn entry(rest: &str) -> (Entry<'_>, usize) {
    let line_end = rest.find('\n').map_or(rest.len(), |at| at + 1);
    let line = rest[..line_end].trim_end_matches(['\n', '\r']);
    let bare = line.trim();
    if bare.is_empty() || bare.starts_with('#') {
        return (Ok(None), line_end);
    }
    let Some((key, value)) = line.split_once('=') else {
        return (Err(without_equals(bare)), line_end);
    };
    let key = key.trim();
    if let Some(exported) = key.strip_prefix("export ") {
        return (Err(format!("`export` is shell; write `{}=…`", shown(exported.trim()))), line_end);
    }
    if !grammar::variable(key) {
        return (Err(format!("`{}` is no name of a variable", shown(key))), line_end);
    }
    let value = value.trim_start();
    match value.chars().next() {
        Some(quote @ ('"' | '\'')) => {
            let start = line.len() - value.len() + 1;
            match quoted(&rest[start..], quote) {
                Some((read, used)) => {
                    let end = start + used;
                    let after_end = rest[end..].find('\n').map_or(rest.len(), |at| end + at + 1);
                    let after = rest[end..after_end].trim();
                    let read = if after.is_empty() || after.starts_with('#') { read } else { Err("text stands after the closing quote".into()) };
                    (read.map(|value| Some((key, value))), after_end)
                }
                None => (Err(format!("the value of `{key}` opens with {quote} and never closes")), line_end),
            }
        }
        _ => (unquoted(value).map(|value| Some((key, value))), line_end),
    }
}

/// Keys only: what follows might be a value.
fn without_equals(bare: &str) -> String {
    if bare.starts_with("export ") {
        return "`export` is shell; write `KEY=value`".into();
    }
    // Anything else might be a line of a secret that lost its quotes.
    if grammar::variable(bare) && !bare.contains(|c: char| c.is_ascii_lowercase()) {
        return format!("`{}` has no `=`; the tool's environment is never copied", shown(bare));
    }
    "this is not `KEY=value`".into()
}

/// A name that may be shown: what is no name might be part of a secret.
fn shown(key: &str) -> &str {
    if grammar::variable(key) && key.len() <= 64 { key } else { "…" }
}

fn unquoted(value: &str) -> Result<Secret, String> {
    let comment = value.char_indices().find(|(at, c)| *c == '#' && (*at == 0 || value[..*at].ends_with([' ', '\t'])));
    let value = comment.map_or(value, |(at, _)| &value[..at]).trim_end();
    if has_variable(value) { Err(variable_refused()) } else { Ok(Secret::new(value)) }
}

/// The value up to the closing quote, and the bytes used with that quote. `None`: it never closes.
fn quoted(text: &str, quote: char) -> Option<(Result<Secret, String>, usize)> {
    if quote == '\'' {
        let end = text.find('\'')?;
        return Some((Ok(Secret::new(text[..end].replace("\r\n", "\n"))), end + 1));
    }
    let mut value = String::with_capacity(text.len());
    let mut has_variable = false;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => {
                let read = if has_variable { Err(variable_refused()) } else { Ok(Secret::new(value)) };
                return Some((read, at + 1));
            }
            '\\' => match chars.next()?.1 {
                'n' => value.push('\n'),
                'r' => value.push('\r'),
                't' => value.push('\t'),
                plain @ ('"' | '\\' | '$') => value.push(plain),
                other => value.extend(['\\', other]),
            },
            '\r' if chars.peek().is_some_and(|(_, next)| *next == '\n') => {}
            '$' => {
                has_variable |= chars.peek().is_some_and(|(_, next)| begins_variable(*next));
                value.push('$');
            }
            other => value.push(other),
        }
    }
    None
}

fn has_variable(value: &str) -> bool {
    value.match_indices('$').any(|(at, _)| value[at + 1..].starts_with(begins_variable))
}

fn begins_variable(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || c == '{'
}

fn variable_refused() -> String {
    "compose would replace the `$…` in this value; put it in single quotes if it is meant as it stands".into()
}
