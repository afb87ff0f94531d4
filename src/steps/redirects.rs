//! A site's redirects, where it says `manage_redirects`: plain http to https, every other name to the domain, each in one hop. They are routes
//! of Traefik's own kind (contract §3.2), beside the chart's Ingress, which stays as its release has it. What goes first is said by a priority
//! instead of left to chance, and the challenge's path is in none of their rules, so that the solver's Ingress is never in question.

use serde_json::json;

use crate::inventory::{Inventory, Site, Tls};
use crate::model::{ApiQuestion, Manifest, Missing, ObjectRef, Planned, Question, Scope, Step, StepId, View};

use super::drift;
use super::ours;

/// Who is redirected.
pub(super) const ROUTE: (&str, &str) = ("traefik.io/v1alpha1", "IngressRoute");
/// Where to.
pub(super) const MIDDLEWARE: (&str, &str) = ("traefik.io/v1alpha1", "Middleware");

struct Redirects {
    domain: String,
    namespace: String,
    scheme: &'static str,
    /// Traefik's entry point, and the names that are redirected there.
    routes: Vec<(&'static str, Vec<String>)>,
}

/// One step a site whose redirects are ours.
pub(super) fn steps(inventory: &Inventory) -> Vec<Box<dyn Step>> {
    all(inventory).map(|redirects| Box::new(redirects) as Box<dyn Step>).collect()
}

/// All that bear our label.
pub(super) fn objects(inventory: &Inventory) -> impl Iterator<Item = ObjectRef> {
    all(inventory).flat_map(|redirects| {
        let object = |(version, kind): (&str, &str), name: &str| ObjectRef::new(version, kind, &redirects.namespace, name);
        let routes = redirects.routes.iter().map(|(entry_point, _)| object(ROUTE, &redirects.route(entry_point)));
        routes.chain([object(MIDDLEWARE, &redirects.middleware())]).collect::<Vec<_>>()
    })
}

fn all(inventory: &Inventory) -> impl Iterator<Item = Redirects> {
    let managed = inventory.sites.iter().filter(|site| site.manage_redirects);
    managed.filter_map(|site| Some(Redirects::of(site, inventory.namespace_of(site)?)))
}

impl Redirects {
    fn of(site: &Site, namespace: &str) -> Self {
        let others = site.redirect_from.clone();
        let (scheme, mut routes) = match site.tls {
            Tls::Off => ("http", vec![("web", others)]),
            _ => ("https", vec![("web", site.names().map(str::to_owned).collect()), ("websecure", others)]),
        };
        routes.retain(|(_, names)| !names.is_empty());
        Self { domain: site.domain.clone(), namespace: namespace.into(), scheme, routes }
    }

    fn middleware(&self) -> String {
        format!("bedplate-{}", self.domain)
    }

    fn route(&self, entry_point: &str) -> String {
        format!("{}-{entry_point}", self.middleware())
    }

    /// Traefik looks a route's Middleware up by its name, so that comes first.
    fn manifests(&self) -> Result<Vec<Manifest>, Missing> {
        let Self { domain, namespace, scheme, .. } = self;
        let context = json!({ "name": self.middleware(), "namespace": namespace, "home": format!("{scheme}://{domain}") });
        let middleware = ours::manifest("redirect-middleware.yaml", &context);
        let route = |(entry_point, names): &(&str, Vec<String>)| {
            let (name, middleware) = (self.route(entry_point), self.middleware());
            let context = json!({ "name": name, "namespace": namespace, "entry_point": entry_point, "rule": rule(entry_point, names), "middleware": middleware });
            ours::manifest("redirect-route.yaml", &context)
        };
        [middleware].into_iter().chain(self.routes.iter().map(route)).collect()
    }
}

/// Traefik 3 knows these matchers.
fn rule(entry_point: &str, names: &[String]) -> String {
    let hosts: Vec<String> = names.iter().map(|name| format!("Host(`{name}`)")).collect();
    // Who came by https to a proxy that Traefik trusts would go round in a circle.
    let plain = if entry_point == "web" { " && !Header(`X-Forwarded-Proto`, `https`)" } else { "" };
    format!("({}) && !PathPrefix(`/.well-known/acme-challenge/`){plain}", hosts.join(" || "))
}

impl Step for Redirects {
    fn id(&self) -> StepId {
        StepId::named("redirects", &self.domain)
    }

    fn scope(&self) -> Scope {
        Scope::Cluster
    }

    fn questions(&self, _: &View<'_>) -> Vec<Question> {
        self.manifests().unwrap_or_default().into_iter().map(|manifest| Question::Api(ApiQuestion::DryRun(manifest))).collect()
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        drift::mend(self.manifests()?.iter(), seen)
    }
}
