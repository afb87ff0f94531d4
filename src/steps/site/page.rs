//! One page: its status and its title.

use crate::inventory::Check;
use crate::model::{Exchange, Finding, Missing, Why};

use super::redirect::leads;

/// What is wrong with the page at `url`; none: it is as the check says.
///
/// # Errors
/// The question was not asked.
pub fn judge(url: &str, answer: Result<Option<&Exchange>, Missing>, check: &Check) -> Result<Option<Finding>, Missing> {
    let exchange = match readable(answer)? {
        Err(why) => return Ok(Some(Finding::new(format!("GET {url}: {why}"), "see whether the release's Ingress names this host"))),
        Ok(exchange) => exchange,
    };
    if exchange.status != check.status {
        let cure = match exchange.status {
            404 => "no Ingress of the chart serves this host and path".to_owned(),
            502..=504 => "Traefik does not reach the pods: see their readiness and the chart's NetworkPolicies".to_owned(),
            _ => format!("make it answer {}, or change the check", check.status),
        };
        let to = leads(url, exchange).map(|to| format!(", to {to}")).unwrap_or_default();
        return Ok(Some(Finding::new(format!("GET {url} answers {}{to}, and {} is expected", exchange.status, check.status), cure)));
    }
    let Some(wanted) = &check.title else { return Ok(None) };
    let found = title(&exchange.body);
    Ok((found.as_deref() != Some(wanted.trim())).then(|| {
        let seen = found.map_or("no title".to_owned(), |found| format!("the title {found:?}"));
        Finding::new(format!("GET {url} has {seen}, and {wanted:?} is expected"), "another application answers, or the check is old")
    }))
}

/// An answer that could not be had, or is absent, is a reason; only one that was not asked is missing.
///
/// # Errors
/// The question was not asked.
pub fn readable<T>(answer: Result<Option<T>, Missing>) -> Result<Result<T, String>, Missing> {
    match answer {
        Ok(Some(found)) => Ok(Ok(found)),
        Ok(None) => Ok(Err("nothing answers".into())),
        Err(Missing { why: Why::Unreadable(why), .. }) => Ok(Err(why)),
        Err(missing) => Err(missing),
    }
}

/// The content of `<title>`, its white space folded.
fn title(body: &str) -> Option<String> {
    // ASCII lower case keeps byte positions.
    let lower = body.to_ascii_lowercase();
    let start = lower.find("<title")?;
    let open = start + lower[start..].find('>')? + 1;
    let close = open + lower[open..].find("</title")?;
    Some(body[open..close].split_whitespace().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_found_over_lines_and_in_any_case() {
        assert_eq!(title("<HTML><Title lang=en>\n  Shop\n  one </TITLE>").as_deref(), Some("Shop one"));
        assert_eq!(title("<title></title>").as_deref(), Some(""));
        assert_eq!(title("<title>Shop"), None);
        assert_eq!(title("no"), None);
    }
}
