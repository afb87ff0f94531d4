//! Circles: redirects that answer each other. Browsers give up after some twenty hops, whatever each hop looks like by itself.

use std::collections::BTreeSet;

use crate::model::{Exchange, Finding};

use super::redirect::leads;

/// Every circle among the URLs whose answers are known, each once.
pub fn circles<'a>(urls: &[String], answer: impl Fn(&str) -> Option<&'a Exchange>) -> Vec<Vec<String>> {
    let mut told: Vec<BTreeSet<String>> = Vec::new();
    let mut found = Vec::new();
    for url in urls {
        let Some(circle) = circle(url, &answer) else { continue };
        let members: BTreeSet<String> = circle.iter().cloned().collect();
        if !told.contains(&members) {
            told.push(members);
            found.push(circle);
        }
    }
    found
}

/// The circle into which `start` leads, without the way there.
fn circle<'a>(start: &str, answer: &impl Fn(&str) -> Option<&'a Exchange>) -> Option<Vec<String>> {
    let mut way = vec![start.to_owned()];
    loop {
        let last = way.last()?;
        let next = leads(last, answer(last)?)?.to_string();
        if let Some(place) = way.iter().position(|one| *one == next) {
            return Some(way.split_off(place));
        }
        way.push(next);
    }
}

/// What a circle means, and who may end it.
pub fn told(circle: &[String], target: &str) -> Finding {
    match circle {
        [only] => Finding::new(
            format!("GET {only} redirects to itself: browsers give up"),
            "the application takes https for http: let it heed X-Forwarded-Proto; or a proxy before the cluster asks it by plain http (Cloudflare: \
             set SSL/TLS to Full (strict))",
        ),
        several => Finding::new(
            format!("redirects go round in a circle, and browsers give up: {}", several.join(" -> ")),
            format!(
                "one of them must give way: let the application's own address be {target}, or take the name that it prefers for `domain` and the \
                 other one for `redirect_from`"
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn seen(ways: &[(&str, &str)]) -> Vec<Vec<String>> {
        let exchange = |location: &str| Exchange { status: 301, location: location.into(), ..Exchange::default() };
        let answers: BTreeMap<String, Exchange> = ways.iter().map(|(from, to)| ((*from).to_owned(), exchange(to))).collect();
        let urls: Vec<String> = ways.iter().map(|(from, _)| (*from).to_owned()).collect();
        circles(&urls, |url| answers.get(url))
    }

    #[test]
    fn a_circle_is_found_once_without_the_way_there() {
        let ways = [("http://a/", "https://a/"), ("https://a/", "https://www.a/"), ("https://www.a/", "https://a/")];
        assert_eq!(seen(&ways), [["https://a/", "https://www.a/"]]);
        assert_eq!(seen(&[("https://a/", "/")]), [["https://a/"]]);
        assert!(seen(&[("http://a/", "https://a/"), ("https://a/", "https://elsewhere/")]).is_empty());
    }
}
