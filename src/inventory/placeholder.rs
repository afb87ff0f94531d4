//! Values that someone meant to replace, such as `ADMIN_EMAILS=you@example.com`.

/// Which placeholder a value holds, if any. The answer names the kind and never shows the value.
pub(super) fn placeholder(value: &str) -> Option<&'static str> {
    let value = value.trim();
    let lower = value.to_ascii_lowercase();
    if let Some(reserved) = ["example.com", "example.org", "example.net"].into_iter().find(|name| is_host_in(&lower, name)) {
        return Some(reserved);
    }
    if stands_alone(&lower, "you@") {
        return Some("you@");
    }
    if ["changeme", "change-me", "change_me"].iter().any(|word| lower.contains(word)) {
        return Some("changeme");
    }
    if in_brackets(value) {
        return Some("<…>");
    }
    if words(&lower).any(|word| word.len() >= 3 && word.bytes().all(|byte| byte == b'x')) {
        return Some("xxx");
    }
    words(value).any(|word| word == "TODO").then_some("TODO")
}

fn words(value: &str) -> impl Iterator<Item = &str> {
    value.split(|c: char| !c.is_ascii_alphanumeric())
}

/// Whether `name` is a host, or a host's parent, in an address or a URL: not the tail of a longer label, nor followed by more of a name.
fn is_host_in(value: &str, name: &str) -> bool {
    value.match_indices(name).any(|(at, _)| {
        let before = value[..at].chars().next_back();
        let after = value[at + name.len()..].chars().next();
        !before.is_some_and(|c| c.is_ascii_alphanumeric() || c == '-')
            && !after.is_some_and(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
            && !value[at + name.len()..].strip_prefix('.').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
    })
}

fn stands_alone(value: &str, word: &str) -> bool {
    value
        .match_indices(word)
        .any(|(at, _)| !value[..at].chars().next_back().is_some_and(|c| c.is_ascii_alphanumeric() || ".-_+".contains(c)))
}

/// `<your key>`, also after a name; but `Shop <ops@shop.example>` is an address.
fn in_brackets(value: &str) -> bool {
    let Some((before, inner)) = value.strip_suffix('>').and_then(|rest| rest.split_once('<')) else {
        return false;
    };
    (before.is_empty() || before.ends_with(' ')) && !inner.is_empty() && !inner.contains('@')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_seen() {
        for (value, kind) in [
            ("you@example.com", "example.com"),
            ("Admin <ops@mail.Example.org>", "example.org"),
            ("https://example.net/callback", "example.net"),
            ("you@shop.example", "you@"),
            ("ops@shop.example,you@shop.example", "you@"),
            ("ChangeMe123", "changeme"),
            ("<your client id>", "<…>"),
            ("Shop <address>", "<…>"),
            ("re_xxxxxxxx", "xxx"),
            ("XXX", "xxx"),
            ("TODO: ask", "TODO"),
        ] {
            assert_eq!(placeholder(value), Some(kind), "{value}");
        }
    }

    #[test]
    fn what_only_looks_like_one_passes() {
        for value in [
            "",
            "ops@shop.example",
            "Shop <ops@shop.example>",
            "thankyou@shop.example",
            "myexample.com",
            "example.company",
            "example.com.br",
            "mastodon",
            "axxxb",
            "a<b>c",
            "xx",
            "todo-list.dev",
        ] {
            assert_eq!(placeholder(value), None, "{value}");
        }
    }
}
