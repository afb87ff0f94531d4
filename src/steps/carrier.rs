//! Whose Ingress serves a site, and so who tells cert-manager the issuer: a release's value, or the annotation of a playbook's Ingress.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::inventory::{Inventory, Site};
use crate::model::{ApiQuestion, LiveRelease, Manifest, Missing, ObjectRef, Question, View, Why};
use crate::playbook::{Part, Play};

/// The annotation that cert-manager's ingress-shim follows (contract §4.2).
pub const ISSUER: &str = "cert-manager.io/cluster-issuer";

/// Who carries the issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// A helm release, at a dotted path of its values.
    Release {
        /// Namespace.
        namespace: String,
        /// Name of the release.
        name: String,
        /// `issuer_value`.
        path: String,
    },
    /// An Ingress of a playbook.
    Ingress(ObjectRef),
}

impl Carrier {
    /// `None` if the site names no release with an `issuer_value` and no playbook with an Ingress for its certificate.
    pub fn of(inventory: &Inventory, site: &Site) -> Option<Self> {
        if let Some(release) = inventory.releases.iter().find(|release| release.name == site.release) {
            let (namespace, name) = (release.namespace.clone(), release.name.clone());
            return Some(Self::Release { namespace, name, path: release.issuer_value.clone()? });
        }
        let play = inventory.plays.iter().find(|play| play.name == site.release)?;
        let certificate = site.certificate.as_deref()?;
        ingresses(play).find(|ingress| names(ingress, certificate)).map(|ingress| Self::Ingress(ingress.object().clone()))
    }

    /// The namespace of the Ingress and of all that belongs to it.
    pub fn namespace(&self) -> &str {
        match self {
            Self::Release { namespace, .. } => namespace,
            Self::Ingress(object) => &object.namespace,
        }
    }

    /// What must be known to tell the live issuer.
    pub fn question(&self) -> Question {
        Question::Api(match self {
            Self::Release { namespace, name, .. } => ApiQuestion::Release { namespace: namespace.clone(), name: name.clone() },
            Self::Ingress(object) => ApiQuestion::Object(object.clone()),
        })
    }

    /// Whether it is there.
    ///
    /// # Errors
    /// It can't be seen.
    pub fn is_there(&self, seen: &View<'_>) -> Result<bool, Missing> {
        Ok(match self {
            Self::Release { namespace, name, .. } => seen.release(namespace, name)?.is_some(),
            Self::Ingress(object) => seen.object(object)?.is_some(),
        })
    }

    /// The issuer that it was given, if it is there and was given one.
    ///
    /// # Errors
    /// It can't be seen.
    pub fn issuer<'a>(&self, seen: &View<'a>) -> Result<Option<&'a str>, Missing> {
        Ok(match self {
            Self::Release { namespace, name, path } => seen.release(namespace, name)?.and_then(|live| stored(live, path)),
            Self::Ingress(object) => seen.object(object)?.and_then(|live| live["metadata"]["annotations"][ISSUER].as_str()),
        })
    }

    /// The names for which its Ingress asks a certificate already, in the Secret `certificate`.
    ///
    /// # Errors
    /// It can't be seen.
    pub fn asks<'a>(&self, seen: &View<'a>, certificate: &str) -> Result<BTreeSet<&'a str>, Missing> {
        let ingresses: Vec<&'a Value> = match self {
            Self::Release { namespace, name, .. } => {
                let objects = seen.release(namespace, name)?.into_iter().flat_map(|live| &live.objects);
                objects.filter(|object| object["kind"] == "Ingress").collect()
            }
            Self::Ingress(object) => seen.object(object)?.into_iter().collect(),
        };
        let tls = ingresses.into_iter().filter_map(|ingress| ingress.pointer("/spec/tls")?.as_array()).flatten();
        let hosts = tls.filter(|tls| tls["secretName"] == certificate).filter_map(|tls| tls["hosts"].as_array()).flatten();
        Ok(hosts.filter_map(Value::as_str).collect())
    }

    /// It must be there before what hangs on it can be judged.
    ///
    /// # Errors
    /// It is not there yet, or can't be seen.
    pub fn must_be_there(&self, seen: &View<'_>) -> Result<(), Missing> {
        if self.is_there(seen)? {
            return Ok(());
        }
        let what = match self {
            Self::Release { name, .. } => format!("release {name}"),
            Self::Ingress(object) => object.to_string(),
        };
        Err(Missing { question: self.question(), why: Why::Unreadable(format!("{what} is not there yet")) })
    }

    /// Where the issuer stands, in words.
    pub fn place(&self) -> String {
        match self {
            Self::Release { path, .. } => format!("value {path} of the chart must reach the annotation {ISSUER}"),
            Self::Ingress(object) => format!("{object} must keep the annotation {ISSUER}"),
        }
    }
}

/// The issuer that a live release was given at the dotted `path` of its values.
pub fn stored<'a>(live: &'a LiveRelease, path: &str) -> Option<&'a str> {
    path.split('.').try_fold(&live.values, |value, key| value.get(key))?.as_str()
}

fn ingresses(play: &Play) -> impl Iterator<Item = &Manifest> {
    let manifests = play.parts.iter().filter_map(|part| match part {
        Part::Manifests(manifests) => Some(manifests),
        Part::Wait(_) => None,
    });
    manifests.flatten().filter(|manifest| manifest.object().kind == "Ingress")
}

/// Whether an Ingress names the TLS Secret `certificate`.
fn names(ingress: &Manifest, certificate: &str) -> bool {
    let tls = ingress.body().pointer("/spec/tls").and_then(Value::as_array);
    tls.into_iter().flatten().any(|tls| tls["secretName"] == certificate)
}
