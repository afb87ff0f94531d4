//! Texts that are nearly `.env` files.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// What means something to one reader or another.
const FRAGMENTS: [&str; 52] = [
    "A", "B", "C_1", "x", "0", "7", "é", "\u{212a}", "\u{17f}", "=", ":", "export ", "export", " ", "\t", "\n", "\r\n", "\r", "\u{a0}",
    "\u{2003}", "\u{feff}", "\0", "'", "\"", "\\", "\\n", "\\0", "\\$", "\\\"", "\\'", "$", "$$", "${", "{", "}", "$A", "${A}", "${B:-",
    "${C_1+", "${A:?", "#", " #", "-", "+", "?", ".", "[", "]", "\nA=", "\nB=", "\nC_1=\"", "\u{b}",
];

fn fragments(most: usize) -> impl Strategy<Value = String> {
    vec(select(&FRAGMENTS[..]), 0..most).prop_map(|parts| parts.concat())
}

/// A line that is one more often than not.
fn line() -> impl Strategy<Value = String> {
    let quote = select(&["", "", "'", "\""][..]);
    let key = select(&["A", "B", "C_1", "export D", "E "][..]);
    (key, quote, fragments(5)).prop_map(|(key, quote, value)| format!("{key}={quote}{value}{quote}\n"))
}

/// One file.
fn file() -> impl Strategy<Value = String> {
    prop_oneof![1 => fragments(12), 4 => vec(line(), 1..4).prop_map(|lines| lines.concat())]
}

/// One file, or several.
pub fn files() -> impl Strategy<Value = Vec<String>> {
    vec(file(), 1..3)
}
