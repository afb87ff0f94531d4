//! One redirect: to the right place in one hop, its path kept. It is asked by GET: Traefik answers other methods differently (X-14).

use url::Url;

use crate::model::{Exchange, Finding, Missing};

use super::page::readable;

/// What is wrong with the redirect; none: it leads straight to `to`.
///
/// # Errors
/// The question was not asked.
pub fn judge(from: &str, to: &str, answer: Result<Option<&Exchange>, Missing>, namespace: &str) -> Result<Option<Finding>, Missing> {
    let what = match readable(answer)? {
        Err(why) => format!("GET {from}: {why}"),
        Ok(exchange) if !matches!(exchange.status, 301 | 308) => format!("GET {from} answers {}, and a redirect to {to} is expected", exchange.status),
        Ok(exchange) if leads(from, &exchange.location) == Url::parse(to).ok() => return Ok(None),
        Ok(exchange) => format!("GET {from} redirects to {:?}, and {to} is expected", exchange.location),
    };
    Ok(Some(Finding::new(what, addition(from, to, namespace))))
}

/// A `Location` may be relative.
fn leads(from: &str, location: &str) -> Option<Url> {
    Url::parse(from).ok()?.join(location).ok()
}

/// What the chart lacks (contract §3.2, §3.3): on its own Ingress, so that the solver's stays reachable over plain http.
fn addition(from: &str, to: &str, namespace: &str) -> String {
    let host = |url: &str| Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    let (name, spec) = if host(from) == host(to) {
        ("https", "redirectScheme: {scheme: https, permanent: true}".to_owned())
    } else {
        let target = to.strip_suffix("/bedplate-probe").unwrap_or(to);
        let regex = format!("^https?://{}/(.*)", host(from).replace('.', "\\."));
        ("apex", format!("redirectRegex: {{regex: '{regex}', replacement: '{target}/${{1}}', permanent: true}}"))
    };
    format!(
        "add to the chart:\n    apiVersion: traefik.io/v1alpha1\n    kind: Middleware\n    metadata: {{name: {name}, namespace: {namespace}}}\n    \
         spec: {{{spec}}}\n  and to its Ingress, which must name {} as well, the annotation\n    \
         traefik.ingress.kubernetes.io/router.middlewares: {namespace}-{name}@kubernetescrd",
        host(from)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, location: &str) -> Option<Finding> {
        let exchange = Exchange { status, location: location.into(), server: String::new(), body: String::new() };
        judge("https://www.shop.example/a", "https://shop.example/a", Ok(Some(&exchange)), "shop").unwrap()
    }

    #[test]
    fn only_a_permanent_redirect_with_its_path_kept_will_do() {
        assert_eq!(judged(301, "https://shop.example/a"), None);
        assert_eq!(judged(308, "https://shop.example:443/a"), None);
        for (status, location) in [(302, "https://shop.example/a"), (301, "https://shop.example/"), (301, "/a"), (301, "http://shop.example/a"), (200, "")] {
            assert!(judged(status, location).is_some(), "{status} {location}");
        }
    }

    #[test]
    fn the_cure_is_what_the_chart_lacks() {
        let cure = judged(200, "").unwrap().cure;
        assert!(cure.contains(r"regex: '^https?://www\.shop\.example/(.*)', replacement: 'https://shop.example/a/${1}'"), "{cure}");
        assert!(cure.contains("shop-apex@kubernetescrd"), "{cure}");
    }
}
