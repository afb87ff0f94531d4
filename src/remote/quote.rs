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
    use std::io::Write as _;
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
        assert_eq!(echoed("a\0b"), b"ab");
    }

    /// What may be `sh` on a host.
    const SHELLS: [&[&str]; 3] = [&["dash"], &["bash"], &["busybox", "sh"]];

    /// What a shell makes of each text that is quoted in a script of its own line.
    fn read_back(shell: &[&str], texts: &[String]) -> Vec<Vec<u8>> {
        let mut script = tempfile::NamedTempFile::new().unwrap();
        for text in texts {
            writeln!(script, "printf '%s\\0' {}", quote(text)).unwrap();
        }
        let asked = Command::new(shell[0]).args(&shell[1..]).arg(script.path()).output();
        let said = asked.unwrap_or_else(|error| panic!("`{0}` can't be run; on Debian: apt-get install {0} ({error})", shell[0]));
        said.stdout.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect()
    }

    /// Of characters that mean something to some shell, or to none.
    fn texts() -> impl Strategy<Value = Vec<String>> {
        let special: Vec<char> = "'\"\\`$!#&*?[]{}()<>|;~=%^-+,.:@/ \t\r\n\u{1}\u{1b}\u{7f}\u{81}\u{88}\u{ff}éß字".chars().collect();
        let character = prop_oneof![6 => proptest::sample::select(special), 1 => any::<char>()].prop_filter("no NUL", |one| *one != '\0');
        let text = proptest::collection::vec(character, 0..16).prop_map(String::from_iter);
        proptest::collection::vec(text, 1000)
    }

    proptest! {
        // 100 times 1000 texts.
        #![proptest_config(ProptestConfig { cases: 100, max_shrink_iters: 300, ..ProptestConfig::default() })]
        #[test]
        fn every_shell_gives_back_what_was_quoted(texts in texts()) {
            for shell in SHELLS {
                let read = read_back(shell, &texts);
                for (text, read) in texts.iter().zip(&read) {
                    prop_assert_eq!(read.as_slice(), text.as_bytes(), "{:?} in {:?}", text, shell);
                }
                prop_assert_eq!(read.len(), texts.len() + 1, "{:?}", shell);
            }
        }
    }
}
