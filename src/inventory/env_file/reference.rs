//! `$KEY` and `${KEY:-text}` (compose-go: `template`), to keys of the files alone.

use std::ops::Range;

use super::{Flaw, Values, Why};
use crate::model::Secret;

/// Nobody writes more of `${A:-${B:-…}}`.
const DEEPEST: usize = 16;

/// Letters that the expression in compose's parser takes for `s` and `k`, as it disregards case.
const FOLDED: [char; 2] = ['\u{17f}', '\u{212a}'];

/// What a backslash and the character after it stand for; `None`: for themselves.
type Escape = fn(char) -> Result<Option<&'static str>, Why>;

/// Where a text ends.
pub enum Stop {
    /// With the value; what backslashes mean there.
    AtEnd(Escape),
    /// Behind `}`.
    AtBrace,
}

/// Takes a value apart into pieces of the text and of other values, so that no secret is copied on the way.
pub struct References<'t> {
    text: &'t str,
    at: usize,
    end: usize,
    values: &'t Values,
    pieces: Vec<&'t str>,
    depth: usize,
}

impl<'t> References<'t> {
    pub fn new(text: &'t str, range: Range<usize>, values: &'t Values) -> Self {
        Self { text, at: range.start, end: range.end, values, pieces: Vec::new(), depth: 0 }
    }

    /// What has been read.
    pub fn pieces(&self) -> &[&'t str] {
        &self.pieces
    }

    /// Reads up to where `stop` says.
    ///
    /// # Errors
    /// Where it is ambiguous, or refers to nothing.
    pub fn read(&mut self, stop: Stop) -> Result<(), Flaw> {
        loop {
            let rest = self.rest();
            let plain = rest.find(['$', '\\', '{', '}', '\n']).unwrap_or(rest.len());
            self.take(plain);
            match (self.rest().chars().next(), &stop) {
                (None, Stop::AtEnd(_)) => return Ok(()),
                (Some('$'), _) => self.dollar(&stop)?,
                (Some('\\'), Stop::AtEnd(escape)) => self.backslash(*escape)?,
                (Some(_), Stop::AtEnd(_)) => self.take(1),
                (Some('}'), Stop::AtBrace) => {
                    self.at += 1;
                    return Ok(());
                }
                (Some('\\'), Stop::AtBrace) => return Err((self.at, Why::Escape)),
                (_, Stop::AtBrace) => return Err((self.at, Why::Reference)),
            }
        }
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..self.end]
    }

    fn take(&mut self, bytes: usize) {
        self.pieces.push(&self.rest()[..bytes]);
        self.at += bytes;
    }

    fn backslash(&mut self, escape: Escape) -> Result<(), Flaw> {
        let Some(c) = self.rest()[1..].chars().next() else {
            self.take(1);
            return Ok(());
        };
        match escape(c).map_err(|why| (self.at, why))? {
            Some(meant) => {
                self.pieces.push(meant);
                self.at += 1 + c.len_utf8();
            }
            None => self.take(1 + c.len_utf8()),
        }
        Ok(())
    }

    fn dollar(&mut self, stop: &Stop) -> Result<(), Flaw> {
        let here = self.at;
        let rest = &self.rest()[1..];
        match rest.chars().next() {
            Some('$') => {
                self.pieces.push("$");
                self.at += 2;
            }
            Some('{') => {
                self.at += 2;
                self.braced(here)?;
            }
            Some(c) if c.is_ascii_alphabetic() || c == '_' => {
                self.at += 1;
                let value = self.name().and_then(|name| self.values.get(name));
                self.put(value.ok_or((here, Why::Unset))?, here)?;
            }
            // In double quotes compose makes `$$` of `\$` first, and then takes the first two of the three.
            Some('\\') if matches!(stop, Stop::AtEnd(_)) && rest[1..].starts_with('$') => return Err((here, Why::Escape)),
            _ => self.take(1),
        }
        if self.rest().starts_with(FOLDED) { Err((self.at, Why::Reference)) } else { Ok(()) }
    }

    /// A name, if one stands here.
    fn name(&mut self) -> Option<&'t str> {
        let rest = self.rest();
        let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        self.at += length;
        Some(&rest[..length]).filter(|name| !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()))
    }

    /// What follows `${`.
    fn braced(&mut self, here: usize) -> Result<(), Flaw> {
        let wrong = || (here, Why::Reference);
        let value = self.values.get(self.name().ok_or_else(wrong)?);
        let filled = value.filter(|value| !value.expose().is_empty());
        let (colon, rest) = self.rest().strip_prefix(':').map_or((false, self.rest()), |rest| (true, rest));
        let found = if colon { filled } else { value };
        let sign = rest.chars().next().ok_or_else(wrong)?;
        self.at = self.end - rest.len() + sign.len_utf8();
        match sign {
            '}' if !colon => self.put(value.ok_or((here, Why::Unset))?, here),
            '-' | '+' | '?' => {
                self.depth += 1;
                if self.depth > DEEPEST {
                    return Err(wrong());
                }
                let before = self.pieces.len();
                self.read(Stop::AtBrace)?;
                self.depth -= 1;
                match (sign, found) {
                    ('-', None) | ('+', Some(_)) => return Ok(()),
                    ('?', None) => return Err((here, Why::Required)),
                    _ => self.pieces.truncate(before),
                }
                // `${A:+text}` of an A that is empty is that emptiness.
                if sign == '+' { Ok(()) } else { found.map_or(Ok(()), |value| self.put(value, here)) }
            }
            _ => Err(wrong()),
        }
    }

    fn put(&mut self, value: &'t Secret, here: usize) -> Result<(), Flaw> {
        self.pieces.push(value.expose_str().ok_or((here, Why::Reference))?);
        Ok(())
    }
}
