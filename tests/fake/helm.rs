//! Helm of make-believe: revisions with their statuses, and charts that render what their release needs.

use bedplate::inventory::Tls;
use bedplate::model::{CHART_LABEL, Failure, LiveRelease, Manifest, ROLLED_BACK, ReleaseUpgrade, mark};
use serde_json::{Value, json};

use super::api::Api;
use super::controllers::ISSUER;

impl Api {
    /// The newest revision, which also says which one was the last good one.
    pub fn newest(&self, namespace: &str, name: &str) -> Option<LiveRelease> {
        let revisions = self.releases.get(&(namespace.to_owned(), name.to_owned()))?;
        let deployed = revisions.iter().rev().find(|revision| revision.status == "deployed").map(|revision| revision.revision);
        revisions.last().map(|newest| LiveRelease { deployed, ..newest.clone() })
    }

    /// Metadata of the Secrets in which helm keeps its revisions.
    pub fn kept(&self) -> impl Iterator<Item = Value> {
        self.releases.iter().flat_map(|((namespace, name), revisions)| {
            revisions.iter().map(move |live| {
                let labels = json!({ "owner": "helm", "name": name, "version": live.revision.to_string(), "status": live.status,
                    CHART_LABEL: mark(&live.chart_digest, live.revision) });
                json!({ "namespace": namespace, "name": format!("sh.helm.release.v1.{name}.v{}", live.revision), "labels": labels })
            })
        })
    }

    pub fn uninstall(&mut self, namespace: &str, name: &str) {
        self.begin_uninstall(namespace, name);
        self.releases.remove(&(namespace.to_owned(), name.to_owned()));
    }

    /// As `helm uninstall` begins: the newest revision says so, and its objects go.
    pub fn begin_uninstall(&mut self, namespace: &str, name: &str) {
        let newest = self.releases.get_mut(&(namespace.to_owned(), name.to_owned())).and_then(|revisions| revisions.last_mut());
        let Some(newest) = newest else { return };
        newest.status = "uninstalling".into();
        let objects = newest.objects.clone();
        objects.into_iter().filter_map(Manifest::new).for_each(|manifest| self.delete(manifest.object()));
    }

    pub fn upgrade(&mut self, release: &ReleaseUpgrade) -> Result<(), Failure> {
        let objects = self.begin(release)?;
        objects.into_iter().for_each(|object| self.put(object));
        self.end(&release.namespace, &release.name);
        Ok(())
    }

    /// As `helm upgrade` begins: a pending revision is kept before anything is applied. Returns what will be.
    pub fn begin(&mut self, release: &ReleaseUpgrade) -> Result<Vec<Value>, Failure> {
        self.home(&release.namespace)?;
        let newest = self.newest(&release.namespace, &release.name);
        if newest.as_ref().is_some_and(|newest| newest.status.starts_with("pending")) {
            return Err(Failure::new("upgrade", "another operation (install/upgrade/rollback) is in progress", ""));
        }
        let objects = self.rendered(release);
        self.pend(
            &release.namespace,
            &release.name,
            LiveRelease {
                revision: 0,
                status: if newest.is_some() { "pending-upgrade" } else { "pending-install" }.into(),
                deployed: None,
                chart_version: if release.name == "cert-manager" { "v1.21.1" } else { "1.0.0" }.into(),
                chart_digest: release.chart_digest.clone(),
                foreign: false,
                changed: 0,
                values: release.values.clone(),
                objects: objects.clone(),
            },
        );
        Ok(objects)
    }

    /// As `helm rollback` begins.
    pub fn begin_rollback(&mut self, namespace: &str, name: &str, good: u32) -> Vec<Value> {
        let revisions = self.releases.get(&(namespace.to_owned(), name.to_owned()));
        let Some(good) = revisions.into_iter().flatten().find(|revision| revision.revision == good).cloned() else { return Vec::new() };
        let objects = good.objects.clone();
        self.pend(namespace, name, LiveRelease { status: "pending-rollback".into(), chart_digest: ROLLED_BACK.into(), ..good });
        objects
    }

    /// Keeps a revision, its number the next one.
    pub fn pend(&mut self, namespace: &str, name: &str, release: LiveRelease) {
        let revisions = self.releases.entry((namespace.to_owned(), name.to_owned())).or_default();
        let revision = revisions.last().map_or(1, |last| last.revision + 1);
        revisions.push(LiveRelease { revision, ..release });
    }

    /// The newest revision is done, and all before it are history.
    pub fn end(&mut self, namespace: &str, name: &str) {
        let revisions = self.releases.entry((namespace.to_owned(), name.to_owned())).or_default();
        let newest = revisions.len().saturating_sub(1);
        for (place, revision) in revisions.iter_mut().enumerate() {
            revision.status = if place == newest { "deployed" } else { "superseded" }.into();
        }
    }

    pub fn clear(&mut self, namespace: &str, name: &str, deployed: Option<u32>) {
        if let Some(good) = deployed {
            let objects = self.begin_rollback(namespace, name, good);
            objects.into_iter().for_each(|object| self.put(object));
            self.end(namespace, name);
            return;
        }
        let key = (namespace.to_owned(), name.to_owned());
        if self.releases.get_mut(&key).is_some_and(|revisions| revisions.pop().is_some() && revisions.is_empty()) {
            self.releases.remove(&key);
        }
    }

    /// What the chart makes of its values.
    pub fn rendered(&self, release: &ReleaseUpgrade) -> Vec<Value> {
        let namespace = &release.namespace;
        if release.name == "cert-manager" {
            let mut controller = deployment(namespace, "cert-manager");
            controller["spec"]["template"] = json!({ "spec": { "containers": [{ "name": "cert-manager-controller",
                "args": ["--acme-http01-solver-image=quay.io/jetstack/cert-manager-acmesolver:v1.21.1"] }] } });
            return vec![controller];
        }
        let mut objects: Vec<Value> = ["web", "auth"].map(|part| deployment(namespace, &format!("{}-{part}", release.name))).into();
        let sites: Vec<_> = self.sites.iter().filter(|site| site.release == release.name).collect();
        if sites.is_empty() {
            return objects;
        }
        let rules: Vec<Value> = sites.iter().flat_map(|site| site.names().map(|name| json!({ "host": name }))).collect();
        let secure = sites.iter().filter(|site| site.tls != Tls::Off);
        let tls: Vec<Value> =
            secure.map(|site| json!({ "hosts": site.names().collect::<Vec<_>>(), "secretName": site.certificate })).collect();
        let issuer = release.values.pointer("/ingress/clusterIssuer").and_then(Value::as_str);
        let notes = issuer.map_or_else(|| json!({}), |issuer| json!({ ISSUER: issuer }));
        objects.push(json!({ "apiVersion": "traefik.io/v1alpha1", "kind": "Middleware",
            "metadata": { "name": format!("{}-https", release.name), "namespace": namespace }, "spec": { "redirectScheme": { "scheme": "https" } } }));
        objects.push(json!({ "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
            "metadata": { "name": release.name, "namespace": namespace, "annotations": notes }, "spec": { "rules": rules, "tls": tls } }));
        objects
    }
}

pub fn deployment(namespace: &str, name: &str) -> Value {
    json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": name, "namespace": namespace },
        "spec": { "replicas": 1, "selector": { "matchLabels": { "app": name } } } })
}
