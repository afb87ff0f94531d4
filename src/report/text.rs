//! What a host, a server or a file says is data: no control character of it reaches a terminal.

/// Replaces control characters other than newline and tab by `�`.
#[must_use]
pub fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn escapes_are_defused() {
        assert_eq!(super::clean("a\x1b[31mb\u{9b}c\r\n\td\x07"), "a\u{fffd}[31mb\u{fffd}c\u{fffd}\n\td\u{fffd}");
    }
}
