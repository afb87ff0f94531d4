//! What a value must look like, as far as a look at it can tell.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, de};

use super::grammar;
use super::placeholder::placeholder;
use crate::model::Secret;

/// `shape = { ADMIN_EMAILS = "email" }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `ops@shop.example`, `Shop <ops@shop.example>`, or several of them with commas between.
    Email,
    /// `https://…` or another scheme, with a host.
    Url,
    /// One PEM block or more; the only one that may end in a line end.
    Pem,
    /// Of the standard alphabet, padded.
    Base64,
    /// At least so many characters.
    MinLength(usize),
}

const KNOWN: &str = "email, url, pem, base64 or min_length:NUMBER";

impl<'de> Deserialize<'de> for Form {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::named(&text).ok_or_else(|| de::Error::invalid_value(de::Unexpected::Str(&text), &KNOWN))
    }
}

impl Form {
    fn named(text: &str) -> Option<Self> {
        Some(match text {
            "email" => Self::Email,
            "url" => Self::Url,
            "pem" => Self::Pem,
            "base64" => Self::Base64,
            _ => Self::MinLength(text.strip_prefix("min_length:")?.parse().ok().filter(|length| *length > 0)?),
        })
    }

    /// What it is not, if it is not.
    fn misses(self, text: &str) -> Option<String> {
        let missed = match self {
            Self::Email => (!text.split(',').all(|one| is_address(one.trim()))).then_some("no e-mail address"),
            Self::Url => (!url::Url::parse(text).is_ok_and(|url| url.has_host())).then_some("no URL with a host"),
            Self::Pem => (!is_pem(text)).then_some("no PEM"),
            Self::Base64 => (text.is_empty() || STANDARD.decode(text).is_err()).then_some("no base64"),
            Self::MinLength(least) => {
                return (text.chars().count() < least).then(|| format!("shorter than {least} characters"));
            }
        };
        missed.map(str::to_owned)
    }
}

fn is_address(text: &str) -> bool {
    let inner = text.strip_suffix('>').and_then(|rest| rest.split_once('<'));
    grammar::email(inner.map_or(text, |(_, address)| address))
}

fn is_pem(text: &str) -> bool {
    let mut blocks = x509_parser::pem::Pem::iter_from_buffer(text.as_bytes()).peekable();
    blocks.peek().is_some() && blocks.all(|block| block.is_ok())
}

/// What is wrong with a value that is there, in words that go with its key and never show it.
#[must_use]
pub fn fault(value: &Secret, form: Option<Form>, placeholders: &[String]) -> Option<String> {
    let Some(text) = value.expose_str() else {
        return form.map(|_| "is no text".to_owned());
    };
    let lower = text.to_lowercase();
    let own = placeholders.iter().find(|word| lower.contains(&word.to_lowercase())).map(String::as_str);
    if let Some(kind) = placeholder(text).or(own) {
        return Some(format!("holds a placeholder ({kind})"));
    }
    let ends = if form == Some(Form::Pem) { text.trim_end_matches('\n') } else { text };
    if ends.trim() != ends {
        return Some("begins or ends with a blank or a line end".into());
    }
    form.and_then(|form| form.misses(text)).map(|missed| format!("is {missed}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(value: &str, form: &str) -> Option<String> {
        fault(&Secret::new(value), Form::named(form), &["Dummy".into()])
    }

    #[test]
    fn values_of_their_shape_pass() {
        let pem = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----";
        for (value, form) in [
            ("a@shop.example", "email"),
            ("Shop <a@shop.example>, b@shop.example", "email"),
            ("postgres://u:p@db:5432/shop", "url"),
            (pem, "pem"),
            (&format!("{pem}\n{pem}\n"), "pem"),
            ("aGk=", "base64"),
            ("ünï", "min_length:3"),
            ("anything", ""),
        ] {
            assert_eq!(seen(value, form), None, "{value}");
        }
    }

    #[test]
    fn others_are_named_and_not_shown() {
        for (value, form, fault) in [
            ("shop", "email", "is no e-mail address"),
            ("a@shop.example,", "email", "is no e-mail address"),
            ("db:5432", "url", "is no URL with a host"),
            ("shop.test", "url", "is no URL with a host"),
            ("-----BEGIN KEY-----\nAAAA", "pem", "is no PEM"),
            ("aGk", "base64", "is no base64"),
            ("ab", "min_length:3", "is shorter than 3 characters"),
            ("my-dummy-key", "", "holds a placeholder (Dummy)"),
            ("changeme", "min_length:3", "holds a placeholder (changeme)"),
            ("key\n", "", "begins or ends with a blank or a line end"),
            (" key", "", "begins or ends with a blank or a line end"),
        ] {
            assert_eq!(seen(value, form).as_deref(), Some(fault), "{value}");
        }
    }

    #[test]
    fn only_known_shapes_are_read() {
        for bad in ["", "mail", "min_length", "min_length:", "min_length:0", "min_length:x"] {
            assert_eq!(Form::named(bad), None, "{bad}");
        }
    }
}
