//! The challenge's path stays free: where plain http is redirected there as well, a CA must be able to follow (contract §3.2, §4.9). While no
//! challenge is set up the application's Ingress answers there, and the solver's own goes before it: so what is seen is a warning.

use url::Url;

use crate::model::{Exchange, Finding, Missing};

use super::super::challenge_probe::url;
use super::page::readable;
use super::redirect::leads;

/// A redirect of `name`'s challenge path that no CA would follow to the solver. `names` are the site's own.
///
/// # Errors
/// The question was not asked.
pub fn judge(name: &str, names: &[&str], answer: Result<Option<&Exchange>, Missing>) -> Result<Option<Finding>, Missing> {
    let from = url(name);
    let Ok(exchange) = readable(answer)? else { return Ok(None) };
    let (Some(to), Ok(asked)) = (leads(&from, exchange), Url::parse(&from)) else { return Ok(None) };
    let Some(why) = unfollowed(&asked, &to, names) else { return Ok(None) };
    let what = format!(
        "plain http of {name} redirects the challenge's path to {to}, and {why}: if Traefik's entry point does that, no renewal comes"
    );
    let cure = "keep redirects on the application's Ingress, or let the entry point send to port 443 alone, or set ports.web.allowACMEByPass: true in \
                Traefik's chart values";
    Ok(Some(Finding::new(what, cure)))
}

/// Why a CA does not get from one to the other; none: it does. It asks no certificate there.
pub fn unfollowed(asked: &Url, to: &Url, names: &[&str]) -> Option<&'static str> {
    let host = to.host_str().unwrap_or_default();
    if to == asked {
        return Some("that is where it began");
    }
    if !matches!(to.scheme(), "http" | "https") {
        return Some("a CA follows to http and https only");
    }
    if !matches!(to.port_or_known_default(), Some(80 | 443)) {
        return Some("a CA follows to ports 80 and 443 only");
    }
    if !names.contains(&host) {
        let lost_slash = asked.host_str().is_some_and(|own| host.starts_with(own));
        return Some(if lost_slash { "the slash after the host is lost" } else { "the solver does not answer for that host" });
    }
    (to.path() != asked.path()).then_some("the path is lost")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warned(location: &str) -> Option<String> {
        let exchange = Exchange { status: 308, location: location.into(), ..Exchange::default() };
        let names = ["shop.example", "www.shop.example"];
        judge("www.shop.example", &names, Ok(Some(&exchange))).unwrap().map(|finding| finding.what)
    }

    #[test]
    fn a_ca_follows_to_https_of_the_same_path() {
        let path = "/.well-known/acme-challenge/bedplate-probe";
        for to in ["https://www.shop.example", "https://www.shop.example:443", "https://shop.example", "http://shop.example"] {
            assert_eq!(warned(&format!("{to}{path}")), None);
        }
        for (to, why) in [
            (format!("https://www.shop.example:8443{path}"), "ports 80 and 443 only"),
            (format!("http://www.shop.example{path}"), "where it began"),
            (format!("https://other.example{path}"), "does not answer for that host"),
            (format!("https://www.shop.example{}", &path[1..]), "the slash after the host is lost"),
            ("https://www.shop.example/".to_owned(), "the path is lost"),
        ] {
            assert!(warned(&to).unwrap().contains(why), "{to}");
        }
    }
}
