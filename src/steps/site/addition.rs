//! What the user's chart lacks, as text to paste (contract §3.2, §3.3): on its own Ingress, so that the solver's stays reachable over plain
//! http. Traefik 3 knows these fields.

use url::Url;

use super::redirect::Redirect;

/// The Middlewares that the redirects lack, and the one annotation that attaches them.
pub fn of(lacking: &[Redirect], namespace: &str) -> String {
    let host = |url: &str| Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    let (mut names, mut target, mut https) = (Vec::new(), String::new(), false);
    for redirect in lacking {
        let Some(to) = redirect.to.first() else { continue };
        if host(&redirect.from) == host(to) {
            https = true;
        } else if !names.contains(&host(&redirect.from)) {
            names.push(host(&redirect.from));
            target = to.strip_suffix("/bedplate-probe").unwrap_or(to).to_owned();
        }
    }
    let mut middlewares = Vec::new();
    if !names.is_empty() {
        let alternatives = names.iter().map(|name| name.replace('.', "\\.")).collect::<Vec<_>>().join("|");
        let hosts = if names.len() == 1 { alternatives } else { format!("(?:{alternatives})") };
        middlewares
            .push(("apex", format!("redirectRegex: {{regex: '^https?://{hosts}/(.*)', replacement: '{target}/${{1}}', permanent: true}}")));
    }
    if https {
        middlewares.push(("https", "redirectScheme: {scheme: https, permanent: true}".to_owned()));
    }
    let objects = middlewares.iter().map(|(name, spec)| {
        format!(
            "    apiVersion: traefik.io/v1alpha1\n    kind: Middleware\n    metadata: {{name: {name}, namespace: {namespace}}}\n    spec: {{{spec}}}\n"
        )
    });
    let attached: Vec<String> = middlewares.iter().map(|(name, _)| format!("{namespace}-{name}@kubernetescrd")).collect();
    let must = if names.is_empty() { String::new() } else { format!(", which must name {} as well,", names.join(" and ")) };
    format!(
        "let the site say manage_redirects = true, or add to the chart:\n{}  and to its Ingress{must} the annotation, behind what it holds already, after a comma:\n    \
         traefik.ingress.kubernetes.io/router.middlewares: {}",
        objects.collect::<Vec<_>>().join("    ---\n"),
        attached.join(",")
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn redirect(from: &str, to: &str) -> Redirect {
        Redirect { from: format!("{from}/bedplate-probe"), to: vec![format!("{to}/bedplate-probe")] }
    }

    /// Its objects, as the API server would read them, and its last line.
    fn read(text: &str) -> (Vec<Value>, String) {
        let (_, rest) = text.split_once("add to the chart:\n").unwrap();
        let (objects, attached) = rest.split_once("  and to its Ingress").unwrap();
        let objects = objects.split("    ---\n").map(|one| serde_saphyr::from_str(one).unwrap()).collect();
        (objects, attached.lines().last().unwrap().trim().to_owned())
    }

    fn middleware(name: &str, spec: Value) -> Value {
        json!({ "apiVersion": "traefik.io/v1alpha1", "kind": "Middleware", "metadata": { "name": name, "namespace": "shop" }, "spec": spec })
    }

    #[test]
    fn it_is_a_manifest_with_all_that_lacks() {
        let redirects = [
            redirect("http://shop.example", "https://shop.example"),
            redirect("https://www.shop.example", "https://shop.example"),
            redirect("http://www.shop.example", "https://shop.example"),
            redirect("https://shop.test", "https://shop.example"),
        ];
        let (objects, attached) = read(&of(&redirects, "shop"));
        let apex = json!({ "redirectRegex": {
            "regex": r"^https?://(?:www\.shop\.example|shop\.test)/(.*)",
            "replacement": "https://shop.example/${1}",
            "permanent": true,
        } });
        let https = json!({ "redirectScheme": { "scheme": "https", "permanent": true } });
        assert_eq!(objects, [middleware("apex", apex), middleware("https", https)]);
        assert_eq!(attached, "traefik.ingress.kubernetes.io/router.middlewares: shop-apex@kubernetescrd,shop-https@kubernetescrd");
    }

    #[test]
    fn nothing_is_asked_for_that_is_there() {
        let text = of(&[redirect("https://www.shop.example", "https://shop.example")], "shop");
        let (objects, attached) = read(&text);
        let regex = objects[0]["spec"]["redirectRegex"]["regex"].as_str().unwrap();
        assert_eq!((objects.len(), regex), (1, r"^https?://www\.shop\.example/(.*)"));
        assert!(attached.ends_with(" shop-apex@kubernetescrd") && text.contains("must name www.shop.example as well"), "{text}");
    }
}
