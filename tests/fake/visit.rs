//! What a visitor of the fake sees: DNS that tells the truth, and an ingress that serves what Ingresses say.

use bedplate::inventory::{Site, Tls};
use bedplate::model::{Answer, Exchange, ObjectRef, OutsideQuestion, Phase, RecordKind, Reply, Served, Visit};
use serde_json::Value;

use super::api::{Api, OWN};
use super::tls;

impl Api {
    pub fn visited(&self, question: &OutsideQuestion) -> Answer {
        match question {
            OutsideQuestion::Dns { kind, .. } => {
                let records = if *kind == RecordKind::A { vec![self.address.to_string()] } else { Vec::new() };
                Answer::Present(Reply::Records(records))
            }
            OutsideQuestion::OldTls { .. } => Answer::Absent,
            OutsideQuestion::Visit(Visit::Served { name, .. }) => self.served(name),
            OutsideQuestion::Visit(Visit::Get { url, .. }) => self.get(url),
            OutsideQuestion::Knock { port, .. } => self.knocked(*port),
        }
    }

    /// k3s' own ports and those of services, on every host, with nothing in between.
    fn knocked(&self, port: u16) -> Answer {
        let services = self.objects.iter().filter(|(object, _)| object.kind == "Service").map(|(_, body)| &body["spec"]);
        let ports = services.filter(|spec| spec["type"] != "ClusterIP").filter_map(|spec| spec["ports"].as_array()).flatten();
        let open = [6443, 10250].contains(&port) && !self.objects.is_empty();
        let mut open_too = ports.flat_map(|one| [&one["port"], &one["nodePort"]]);
        if open || open_too.any(|open| *open == port) { Answer::Present(Reply::Open) } else { Answer::Absent }
    }

    fn ingresses(&self) -> impl Iterator<Item = &Value> {
        self.objects.iter().filter(|(object, _)| object.kind == "Ingress").map(|(_, body)| body)
    }

    fn served(&self, name: &str) -> Answer {
        let secret = self.ingresses().find_map(|ingress| {
            let tls = ingress["spec"]["tls"]
                .as_array()?
                .iter()
                .find(|tls| tls["hosts"].as_array().is_some_and(|hosts| hosts.contains(&name.into())))?;
            Some((ingress["metadata"]["namespace"].as_str()?.to_owned(), tls["secretName"].as_str()?.to_owned()))
        });
        let leaf = secret.filter(|key| self.secrets.contains_key(key)).and_then(|key| self.leaves.get(&key));
        let Some(leaf) = leaf else { return Answer::Unreadable("connection refused".into()) };
        let phase = if leaf.issuer.ends_with("production") || leaf.issuer == OWN { Phase::Production } else { Phase::Staging };
        Answer::Present(Reply::Served(Served {
            phase,
            subject: format!("CN={name}"),
            issuer: format!("CN={}", leaf.issuer),
            version: String::new(),
            key: String::new(),
            names: leaf.names.clone(),
            not_before: tls::now() - 3600,
            not_after: tls::now() + 90 * 86_400,
            sha256: leaf.sha256.clone(),
        }))
    }

    /// What a responder answers, if one is there for this name and path, with a Service and a pod that runs.
    fn responds(&self, name: &str, path: &str) -> Option<String> {
        let (_, token) = path.rsplit_once('/')?;
        let ingress = self.ingresses().find(|ingress| {
            let rule = &ingress["spec"]["rules"][0];
            rule["host"] == name && rule["http"]["paths"][0]["path"] == format!("/{path}")
        })?;
        let service = &ingress["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]["name"];
        let namespace = ingress["metadata"]["namespace"].as_str()?;
        let service = self.objects.get(&ObjectRef::new("v1", "Service", namespace, service.as_str()?))?;
        let selected = service["spec"]["selector"]["batch.kubernetes.io/controller-uid"] == token;
        let runs = |(object, body): (&ObjectRef, &Value)| {
            object.kind == "Pod" && body["metadata"]["ownerReferences"][0]["uid"] == token && body["status"]["phase"] == "Running"
        };
        (selected && self.objects.iter().any(runs)).then(|| format!("{token}.bedplate"))
    }

    fn get(&self, url: &str) -> Answer {
        let answer = |status, location: String, body: String| {
            Answer::Present(Reply::Exchange(Exchange { status, location, body, ..Exchange::default() }))
        };
        let nowhere = || answer(404, String::new(), String::new());
        let Some((scheme, rest)) = url.split_once("://") else { return nowhere() };
        let (name, path) = rest.split_once('/').unwrap_or((rest, ""));
        if let Some(key) = self.responds(name, path) {
            return answer(200, String::new(), key);
        }
        let routed =
            |ingress: &Value| ingress["spec"]["rules"].as_array().is_some_and(|rules| rules.iter().any(|rule| rule["host"] == name));
        let site = self.sites.iter().find(|site| site.names().any(|own| own == name)).filter(|_| self.ingresses().any(routed));
        let Some(site) = site.filter(|_| !path.starts_with(".well-known/acme-challenge/")) else { return nowhere() };
        let own = match site.tls {
            Tls::Off => "http",
            _ => "https",
        };
        if scheme == own && name == site.domain {
            page(site, &format!("/{path}"), answer)
        } else {
            answer(301, format!("{own}://{}/{path}", site.domain), String::new())
        }
    }
}

fn page(site: &Site, path: &str, answer: impl Fn(u16, String, String) -> Answer) -> Answer {
    let Some(check) = site.checks.iter().find(|check| check.path == path) else { return answer(404, String::new(), String::new()) };
    let title = check.title.clone().unwrap_or_default();
    answer(check.status, String::new(), format!("<html><head><title>{title}</title></head></html>"))
}
