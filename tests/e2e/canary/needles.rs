//! Values to look for, in the forms in which they could show.

use std::fs::File;
use std::io::{Seek, Write};

use anyhow::{Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// A value that stands nowhere else: 40 hex digits.
pub fn canary() -> String {
    (0..5).map(|_| format!("{:08x}", fastrand::u32(..))).collect()
}

/// Values by name, each in the clear and in base64.
#[derive(Default)]
pub struct Needles(Vec<(String, Vec<String>)>);

impl Needles {
    /// Looks for one more.
    pub fn add(&mut self, name: &str, value: &str) {
        let forms = std::iter::once(value.to_owned()).chain((0..3).map(|before| inside_base64(value, before)));
        self.0.push((name.to_owned(), forms.collect()));
    }

    /// Demands that none shows.
    pub fn absent(&self, text: &[u8], place: &str) -> Result<()> {
        // Where text is not UTF-8 it is no needle.
        let text = String::from_utf8_lossy(text);
        for (name, forms) in &self.0 {
            // Around the first place, with the value itself left out.
            let at = forms.iter().find_map(|form| Some((text.find(form)?, form.len())));
            ensure!(at.is_none(), "{name} shows in {place}: {}", at.map(|at| around(&text, at)).unwrap_or_default());
        }
        Ok(())
    }

    /// Demands that each shows.
    pub fn present(&self, text: &[u8], place: &str) -> Result<()> {
        let text = String::from_utf8_lossy(text);
        for (name, forms) in &self.0 {
            ensure!(forms.iter().any(|form| text.contains(form)), "{name} was not seen in {place}");
        }
        Ok(())
    }

    /// All forms, a line each, in a file without a name: for `grep -F -f -`.
    pub fn patterns(&self) -> Result<File> {
        let mut file = tempfile::tempfile()?;
        for form in self.0.iter().flat_map(|(_, forms)| forms) {
            writeln!(file, "{form}")?;
        }
        file.rewind()?;
        Ok(file)
    }
}

/// What is sure to stand in base64 of a text in which `value` follows `before` bytes (modulo 3), whatever stands around it.
fn inside_base64(value: &str, before: usize) -> String {
    let text = [&vec![0; before], value.as_bytes()].concat();
    let first = (before * 8).div_ceil(6);
    let whole = text.len() * 8 / 6;
    STANDARD_NO_PAD.encode(&text)[first..whole].to_owned()
}

fn around(text: &str, (at, length): (usize, usize)) -> String {
    let before: String = text[..at].chars().rev().take(120).collect::<Vec<_>>().into_iter().rev().collect();
    let after: String = text[at + length..].chars().take(40).collect();
    format!("{before}█{after}").replace('\0', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::STANDARD;

    #[test]
    fn found_wherever_it_stands_in_base64() {
        let mut needles = Needles::default();
        needles.add("it", "0123456789abcdef");
        for before in ["", "x", "xx", "xxx"] {
            let text = STANDARD.encode(format!("{before}0123456789abcdef!"));
            let error = needles.absent(text.as_bytes(), "there").unwrap_err().to_string();
            assert!(error.starts_with("it shows in there"), "{error}");
        }
        needles.absent(STANDARD.encode("0123456789abdcef").as_bytes(), "there").unwrap();
    }

    #[test]
    fn what_is_reported_leaves_the_value_out() {
        let mut needles = Needles::default();
        needles.add("it", "0123456789abcdef");
        let error = needles.absent(b"helm\0--set\x00x=0123456789abcdef\0-n", "a command line").unwrap_err().to_string();
        assert_eq!(error, "it shows in a command line: helm --set x=█ -n");
    }
}
