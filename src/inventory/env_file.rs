//! `.env` files, read as compose reads them (compose-spec: env-file), less what is ambiguous: that is refused by line.
//! The tool's own environment is never looked at.

use std::collections::BTreeMap;

use crate::model::Secret;

use super::grammar;

/// Keys and values of a `.env` file. Quotes are taken off, a comment after a blank is dropped from an unquoted value, CR before LF too.
///
/// # Errors
/// Every refused line by number, counted from 1, and why: `export`, a key without `=`, a key twice, a `$` (compose would put something
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
                    let read =
                        if after.is_empty() || after.starts_with('#') { read } else { Err("text stands after the closing quote".into()) };
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
    if value.contains('$') { Err(variable_refused()) } else { Ok(Secret::new(value)) }
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
            '$' => has_variable = true,
            other => value.push(other),
        }
    }
    None
}

fn variable_refused() -> String {
    "compose would take the `$` in this value for a variable; put the value in single quotes if it is meant as it stands".into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_compose_reads_them() {
        for (line, value) in [
            ("K=plain", "plain"),
            ("K = spaced ", "spaced"),
            ("K=a b # comment", "a b"),
            ("K=a#b", "a#b"),
            ("K=# comment", ""),
            ("K=", ""),
            ("K='p$$w$1'", "p$$w$1"),
            ("K=a=b==", "a=b=="),
            ("K=\"it's # here\" # comment", "it's # here"),
            ("K='a\\n$HOME'", "a\\n$HOME"),
            ("K=\"a\\nb\\t\\\"c\\\" \\$HOME \\x\"", "a\nb\t\"c\" $HOME \\x"),
            ("K='two\r\nlines'\r", "two\nlines"),
            ("\u{feff}# comment\r\n\r\nK=\"two\r\nlines\"\r\n", "two\nlines"),
        ] {
            let read = parse(line).unwrap();
            assert_eq!(read.get("K").and_then(Secret::expose_str), Some(value), "{line:?}");
        }
    }

    #[test]
    fn what_is_ambiguous_is_refused_by_line() {
        let text = "# comment\nexport A=1\nB\n\nC='two\nlines'\nC=3\nD: 4\nE=$HOME\nF=\"$1\"\n1G=5\nH='6' 7\nI=\"open\nJ=8\n";
        let lines: Vec<_> = parse(text).unwrap_err().into_iter().map(|(line, _)| line).collect();
        assert_eq!(lines, [2, 3, 7, 8, 9, 10, 11, 12, 13]);
    }

    #[test]
    fn refusals_tell_no_values() {
        let text = "export canary\ncanary\ncanary canary\nA='canary' canary\nB=$canary\nC=\"canary\nexport canary-1=2\ncanary-3=4\n";
        let refused = parse(text).unwrap_err();
        assert_eq!(refused.len(), 8);
        assert!(!format!("{refused:?}").contains("canary"), "{refused:?}");
    }
}
