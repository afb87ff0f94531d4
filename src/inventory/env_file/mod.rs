//! `.env` files as compose reads them (compose-go: `dotenv`), less what is ambiguous: that is refused by line and column.
//! `tests/dotenv/cases.toml` lists both, and is held against compose's own code. The tool's environment is never looked at.

mod entry;
mod quoted;
mod reference;
mod refused;
mod unquoted;

use std::collections::BTreeMap;

pub use refused::{Refused, Why};

use crate::model::Secret;

/// Keys and their values.
pub type Values = BTreeMap<String, Secret>;

/// A place in the text, in bytes, and what is wrong there.
type Flaw = (usize, Why);

/// A Secret holds no more (Kubernetes: `MaxSecretSize`); references could make more of a few lines.
const LONGEST: usize = 1 << 20;

/// Reads one more file over the `values` of those before it: its values win, and its references find theirs.
///
/// # Errors
/// Everything that is refused, in the order of the text. Values are never told.
pub fn read(text: &str, mut values: Values) -> Result<Values, Vec<Refused>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if let Some(flaw) = unreadable(text) {
        return Err(vec![Refused::at(text, flaw)]);
    }
    let (mut seen, mut refused) = (BTreeMap::new(), Vec::new());
    let mut at = 0;
    while let Some(start) = entry::start(text, at) {
        let (entry, end) = entry::read(text, start, &values);
        at = end;
        match entry {
            Ok((key, key_at, value)) => {
                if let Some(first) = seen.insert(key, Refused::line(text, key_at)) {
                    refused.push(Refused::at(text, (key_at, Why::Duplicate { key: key.to_owned(), first })));
                }
                // What is refused counts as set, lest what refers to it be refused as well.
                let value = value.unwrap_or_else(|flaw| {
                    refused.push(Refused::at(text, flaw));
                    Secret::new("")
                });
                values.insert(key.to_owned(), value);
            }
            Err(flaw) => refused.push(Refused::at(text, flaw)),
        }
    }
    if refused.is_empty() { Ok(values) } else { Err(refused) }
}

/// What makes a guess of all that follows.
fn unreadable(text: &str) -> Option<Flaw> {
    let lone = |(at, _): &(usize, &str)| !matches!(text.as_bytes().get(at + 1), None | Some(b'\n'));
    let lone = text.match_indices('\r').find(lone).map(|(at, _)| (at, Why::LoneReturn));
    let nul = text.find('\0').map(|at| (at, Why::Nul));
    nul.or(lone)
}

/// The pieces of a value as one, copied once.
fn joined(pieces: &[&str], at: usize) -> Result<Secret, Flaw> {
    let length: usize = pieces.iter().map(|piece| piece.len()).sum();
    if length > LONGEST { Err((at, Why::TooLong)) } else { Ok(Secret::new(pieces.concat())) }
}

/// What compose's parser takes for a blank, the line's end left out.
const fn is_blank(c: char) -> bool {
    matches!(c, '\t' | '\u{b}' | '\u{c}' | '\r' | ' ' | '\u{85}' | '\u{a0}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_tell_no_values() {
        let text = "export canary\ncanary\ncanary canary\nA='canary' canary\nB=$canary\nexport canary-1=2\ncanary-3=4\n\
                    D=${canary:?canary}\nE=${canary\ncanary:E=5\nF=#canary\nG=\"\\0canary\"\nC=\"canary\n";
        let refused = read(text, Values::new()).unwrap_err();
        assert_eq!(refused.len(), 13, "{refused:?}");
        let told: Vec<_> = refused.iter().map(|refused| format!("{refused} {:?}", refused.why)).collect();
        assert!(!told.concat().contains("canary"), "{told:?}");
    }

    #[test]
    fn places_count_characters_and_every_line() {
        let text = "# comment\r\nA='two\nlines'\nÄ=3\nB=ä$A$C\n\u{2003}D\n";
        let places: Vec<_> = read(text, Values::new()).unwrap_err().iter().map(|refused| (refused.line, refused.column)).collect();
        assert_eq!(places, [(4, 1), (5, 6), (6, 2)]);
    }

    #[test]
    fn deep_references_end() {
        let text = format!("A={}x{}", "${B:-".repeat(100_000), "}".repeat(100_000));
        assert_eq!(read(&text, Values::new()).unwrap_err()[0].why, Why::Reference);
    }
}
