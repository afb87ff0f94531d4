//! What is refused, and why, without a word of any value.

use std::fmt;

use super::Flaw;

/// A place that can't be read, or could be read in more than one way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Counts from 1.
    pub line: usize,
    /// Characters, counts from 1.
    pub column: usize,
    /// What stands there.
    pub why: Why,
}

impl Refused {
    pub(super) fn at(text: &str, (at, why): Flaw) -> Self {
        let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
        Self { line: Self::line(text, at), column: text[start..at].chars().count() + 1, why }
    }

    pub(super) fn line(text: &str, at: usize) -> usize {
        text[..at].matches('\n').count() + 1
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.why)
    }
}

/// Why a place is refused. Keys are told where they look like keys, values never, nor what a `$` refers to: it may be part of a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// NUL: the file is UTF-16, or no text.
    Nul,
    /// A carriage return that ends no line.
    LoneReturn,
    /// A line without `=`; its key, if it looks like one.
    NoEquals(Option<String>),
    /// No name of an environment variable.
    Name,
    /// `A:1`.
    Colon,
    /// A key twice in one file.
    Duplicate {
        /// Which.
        key: String,
        /// The line of the first.
        first: usize,
    },
    /// A quote without its fellow.
    Unclosed(String),
    /// Text behind a closing quote.
    AfterQuote,
    /// A carriage return in a quoted value.
    Returns,
    /// A `#` that may or may not begin a comment.
    Hash,
    /// A `$` whose key is not above.
    Unset,
    /// `${…}` that compose refuses, or reads in its own way.
    Reference,
    /// `${A:?}` with nothing in it.
    Required,
    /// A backslash that means something else elsewhere.
    Escape,
    /// More than a Secret holds.
    TooLong,
}

impl Why {
    /// One word, for `tests/dotenv/cases.toml`.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Nul => "nul",
            Self::LoneReturn => "lone-return",
            Self::NoEquals(_) => "no-equals",
            Self::Name => "name",
            Self::Colon => "colon",
            Self::Duplicate { .. } => "duplicate",
            Self::Unclosed(_) => "unclosed",
            Self::AfterQuote => "after-quote",
            Self::Returns => "returns",
            Self::Hash => "hash",
            Self::Unset => "unset",
            Self::Reference => "reference",
            Self::Required => "required",
            Self::Escape => "escape",
            Self::TooLong => "too-long",
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nul => f.write_str("a NUL byte: this is UTF-16 or no text; save the file as UTF-8"),
            Self::LoneReturn => f.write_str("a carriage return that ends no line; save the file with the line ends of Unix"),
            Self::NoEquals(Some(key)) => write!(f, "`{key}` has no `=`; the tool's environment is never copied"),
            Self::NoEquals(None) => f.write_str("this is not `KEY=value`"),
            Self::Name => f.write_str("no name of a variable stands before the `=`; if this belongs to the value above, put that in quotes"),
            Self::Colon => f.write_str("a `:` without a blank after it; write `KEY=value`"),
            Self::Duplicate { key, first } => write!(f, "`{key}` stands on line {first} already"),
            Self::Unclosed(key) => write!(f, "the value of `{key}` opens with a quote and never closes"),
            Self::AfterQuote => f.write_str("text stands after the closing quote"),
            Self::Returns => f.write_str("the value goes over lines that end in CR LF, and compose would keep each CR; save the file with the line ends of Unix"),
            Self::Hash => f.write_str("compose takes this `#` for part of the value; put the value in quotes, or the comment behind a space"),
            Self::Unset => f.write_str("this `$` refers to a key that is not set above; set it, or put the value in single quotes if it is meant as it stands"),
            Self::Reference => f.write_str("this is no `${KEY}` or `${KEY:-text}`; put the value in single quotes if it is meant as it stands"),
            Self::Required => f.write_str("this `${…?…}` refers to a key without a value"),
            Self::Escape => f.write_str("this backslash means something else to compose than to a shell; put the value in single quotes if it is meant as it stands"),
            Self::TooLong => f.write_str("the value is longer than the 1 MiB that a Secret holds"),
        }
    }
}
