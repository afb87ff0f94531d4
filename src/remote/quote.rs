//! The one place where data becomes shell text.

/// `text` as one word of a POSIX shell, whatever it holds. Single quotes switch off every meaning but their own, so only they
/// need care. A shell's words can't hold NUL: it is left out, as the shell itself would.
pub(super) fn quote(text: &str) -> String {
    let mut word = String::with_capacity(text.len() + 2);
    word.push('\'');
    for character in text.chars() {
        match character {
            '\'' => word.push_str(r"'\''"),
            '\0' => {}
            other => word.push(other),
        }
    }
    word.push('\'');
    word
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::quote;

    fn echoed(text: &str) -> Vec<u8> {
        let script = format!("printf %s {}", quote(text));
        Command::new("sh").arg("-c").arg(script).output().unwrap().stdout
    }

    #[test]
    fn hostile_words_stay_words() {
        for text in ["", "'", "''", "a b", "$(id)", "`id`", "\\", "\\'", "-n", "*", "~", "!x", "a\nb\n", "é\u{1b}[0m", "';id;'"] {
            assert_eq!(echoed(text), text.as_bytes(), "{text:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn a_real_shell_gives_back_what_was_quoted(text in "[^\0]{0,40}") {
            prop_assert_eq!(echoed(&text), text.as_bytes());
        }
    }
}
