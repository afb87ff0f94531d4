//! HSTS, where a site sends it (RFC 6797): browsers must understand it, and what it promises them can't be taken back soon.

use std::collections::BTreeMap;

use crate::model::{Finding, Note};

use super::super::renewal::span;

const DAY: u64 = 86_400;
/// What the browsers' preload list asks for at least (hstspreload.org).
const YEAR: u64 = 365 * DAY;

struct Policy {
    max_age: u64,
    subdomains: bool,
    preload: bool,
}

/// What to know of the header that `url` sends; an empty one is none, and none is asked for.
pub fn judge(url: &str, header: &str) -> Option<Note> {
    if header.is_empty() {
        return None;
    }
    let warning = |what: String, cure: &str| Some(Note::Warning(Finding::new(format!("HSTS of {url}: {what}"), cure)));
    let Some(Policy { max_age, subdomains, preload }) = Policy::read(header) else {
        return warning(
            format!("browsers ignore {header:?}"),
            "it needs one max-age in seconds; Traefik's Middleware: headers: {stsSeconds: 31536000}",
        );
    };
    if max_age == 0 {
        return warning("max-age=0 makes browsers forget it".into(), "send no such header if it is not wanted, else max-age=31536000");
    }
    if preload && (max_age < YEAR || !subdomains) {
        let what = "it asks to be preloaded, which needs includeSubDomains and a max-age of a year".into();
        return warning(
            what,
            "take preload away, unless every subdomain serves https for good: the way off the browsers' list takes months",
        );
    }
    if preload {
        let what = "it asks to be preloaded: every subdomain must serve https then, and the way off the browsers' list takes months";
        return Some(Note::Fact(format!("HSTS of {url}: {what}")));
    }
    let short = format!("it holds for {} only", span(i64::try_from(max_age).unwrap_or(i64::MAX)));
    if max_age < DAY { warning(short, "raise max-age once all is well, in the end to 31536000") } else { None }
}

impl Policy {
    /// As a browser reads it; none: it ignores the whole header.
    fn read(header: &str) -> Option<Self> {
        let mut directives = BTreeMap::new();
        for directive in header.split(';').map(str::trim).filter(|directive| !directive.is_empty()) {
            let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
            if directives.insert(name.trim().to_ascii_lowercase(), value.trim().trim_matches('"')).is_some() {
                return None;
            }
        }
        let has = |name: &str| directives.contains_key(name);
        Some(Self { max_age: directives.get("max-age")?.parse().ok()?, subdomains: has("includesubdomains"), preload: has("preload") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(header: &str) -> String {
        match judge("https://shop.example/", header) {
            None => "nothing".into(),
            Some(Note::Fact(what)) => format!("fact: {what}"),
            Some(Note::Warning(finding)) => finding.what,
            Some(Note::Manual(what)) => what,
        }
    }

    #[test]
    fn only_what_bites_is_told() {
        for (header, expected) in [
            ("", "nothing"),
            ("max-age=31536000", "nothing"),
            ("Max-Age=\"63072000\" ; includeSubDomains;", "nothing"),
            ("max-age=0", "max-age=0 makes browsers forget it"),
            ("max-age=300", "it holds for 5 minutes only"),
            ("max-age=31536000; preload", "which needs includeSubDomains and a max-age of a year"),
            ("max-age=86400; includeSubDomains; preload", "which needs includeSubDomains and a max-age of a year"),
            (
                "max-age=31536000; includeSubDomains; preload",
                "fact: HSTS of https://shop.example/: it asks to be preloaded: every subdomain",
            ),
            ("includeSubDomains", "browsers ignore \"includeSubDomains\""),
            ("max-age=1 year", "browsers ignore \"max-age=1 year\""),
            ("max-age=31536000; max-age=0", "browsers ignore \"max-age=31536000; max-age=0\""),
        ] {
            assert!(told(header).contains(expected), "{header:?}: {}", told(header));
        }
    }
}
