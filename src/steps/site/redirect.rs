//! One redirect: to the right place in one hop, for good, its path kept. It is asked by GET: Traefik answers other methods differently.

use url::Url;

use crate::model::{Exchange, Missing};

use super::page::readable;

/// From where visitors are sent on.
pub struct Redirect {
    /// Asked with a path that tells whether it is kept.
    pub from: String,
    /// Where they belong first, then what will do as well: www may be sent to https before it is sent to the domain.
    pub to: Vec<String>,
}

/// What is wrong with a redirect.
#[derive(Debug, PartialEq, Eq)]
pub struct Wrong {
    /// In words.
    pub what: String,
    /// What helps; none: the redirect itself lacks.
    pub cure: Option<String>,
}

impl Wrong {
    fn new(what: String, cure: &str) -> Self {
        Self { what, cure: Some(cure.into()) }
    }
}

impl Redirect {
    /// Judges it; none: it is as it must be.
    ///
    /// # Errors
    /// The question was not asked.
    pub fn judge(&self, answer: Result<Option<&Exchange>, Missing>) -> Result<Option<Wrong>, Missing> {
        let Self { from, to } = self;
        let wanted = to.first().map(String::as_str).unwrap_or_default();
        let exchange = match readable(answer)? {
            Ok(exchange) => exchange,
            Err(why) => {
                let port = if from.starts_with("https:") { 443 } else { 80 };
                let cure = format!("let TCP {port} in, and see whether Traefik runs and serves this name");
                return Ok(Some(Wrong::new(format!("GET {from}: {why}"), &cure)));
            }
        };
        let status = exchange.status;
        let Some(found) = leads(from, exchange) else {
            let what = format!("GET {from} answers {status}, and a redirect to {wanted} is expected");
            return Ok(Some(Wrong { what, cure: None }));
        };
        let right = to.iter().any(|to| Url::parse(to).as_ref() == Ok(&found));
        Ok(match status {
            301 | 308 if right => None,
            301 | 308 => Some(Wrong { what: misled(from, wanted, &found), cure: None }),
            _ if right => {
                let what = format!("GET {from} redirects to {found} with {status}, which browsers do not remember: 301 or 308 is expected");
                Some(Wrong::new(what, "make that redirect permanent: Traefik's Middlewares take permanent: true"))
            }
            _ => Some(Wrong { what: misled(from, wanted, &found), cure: None }),
        })
    }
}

/// Where an answer sends visitors; none: it is no redirect. A `Location` may be relative.
pub fn leads(from: &str, exchange: &Exchange) -> Option<Url> {
    if !matches!(exchange.status, 301 | 302 | 303 | 307 | 308) || exchange.location.is_empty() {
        return None;
    }
    Url::parse(from).ok()?.join(&exchange.location).ok()
}

fn misled(from: &str, wanted: &str, found: &Url) -> String {
    let same_place = Url::parse(wanted).is_ok_and(|wanted| wanted.origin() == found.origin());
    let loses = if same_place { ", which loses the path" } else { "" };
    format!("GET {from} redirects to {found}{loses}, and {wanted} is expected")
}

#[cfg(test)]
mod tests {
    use super::*;

    const WWW: &str = "https://www.shop.example/a";
    const APEX: &str = "https://shop.example/a";

    fn judged(status: u16, location: &str) -> Option<Wrong> {
        let exchange = Exchange { status, location: location.into(), ..Exchange::default() };
        Redirect { from: WWW.into(), to: vec![APEX.into()] }.judge(Ok(Some(&exchange))).unwrap()
    }

    #[test]
    fn only_a_permanent_redirect_with_its_path_kept_will_do() {
        assert_eq!(judged(301, APEX), None);
        assert_eq!(judged(308, "https://shop.example:443/a"), None);
        for (status, location) in
            [(302, APEX), (301, "https://shop.example/"), (301, "/a"), (301, "http://shop.example/a"), (200, ""), (301, "")]
        {
            assert!(judged(status, location).is_some(), "{status} {location}");
        }
    }

    #[test]
    fn each_fault_has_its_words() {
        let what = |status, location: &str| judged(status, location).unwrap().what;
        assert_eq!(what(200, ""), format!("GET {WWW} answers 200, and a redirect to {APEX} is expected"));
        assert_eq!(
            what(301, "https://shop.example/"),
            format!("GET {WWW} redirects to https://shop.example/, which loses the path, and {APEX} is expected")
        );
        assert_eq!(what(301, "http://shop.example/a"), format!("GET {WWW} redirects to http://shop.example/a, and {APEX} is expected"));
        assert!(what(307, APEX).contains("with 307, which browsers do not remember"));
    }

    #[test]
    fn www_may_be_sent_to_https_first() {
        let redirect = Redirect { from: "http://www.shop.example/a".into(), to: vec![APEX.into(), WWW.into()] };
        for location in [APEX, WWW] {
            let exchange = Exchange { status: 301, location: location.into(), ..Exchange::default() };
            assert_eq!(redirect.judge(Ok(Some(&exchange))).unwrap(), None);
        }
    }
}
