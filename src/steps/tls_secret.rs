//! The certificates that no ACME server issues: of a site with `tls = "self-signed"` made in the cluster's Secret and renewed there by whichever
//! run comes when it is due, of one with `tls = "own-ca"` the user's files. Both are judged as visitors will, before and after.

mod judge;

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::inventory::{Consent, Inventory, Site, Tls};
use crate::model::{
    Action, ApiAction, ApiQuestion, CertificateSpec, Finding, LiveSecret, Missing, ObjectRef, OperatorQuestion, Plan, Planned, Question,
    Scope, Secret, SecretKind, SecretSpec, Step, StepId, TLS_CA, TLS_CHAIN, TLS_KEY, View,
};

use super::carrier::ISSUER;
use super::leaf::Leaf;
use super::renewal::span;
use super::secrets::{differences, is_labelled};
use judge::{Fault, Material, Part};

/// Seconds before its end in which a made one is renewed. Not sooner: its visitors must trust another CA then.
const DUE: i64 = 60 * 24 * 3600;

struct TlsSecret {
    namespace: String,
    name: String,
    /// Of every site that names it.
    names: Vec<String>,
    source: Source,
    adopts: bool,
}

/// Where the certificate comes from.
enum Source {
    Made,
    Files(Files),
}

struct Files {
    certificate: PathBuf,
    key: PathBuf,
    ca: PathBuf,
}

/// One step a Secret.
pub(super) fn steps(inventory: &Inventory) -> Vec<Box<dyn Step>> {
    let adopts = inventory.consents.contains(&Consent::Adopt);
    let mut all: BTreeMap<(&str, &str), TlsSecret> = BTreeMap::new();
    for site in &inventory.sites {
        let Some(((namespace, name), source)) = place(inventory, site).zip(Source::of(site)) else { continue };
        let new = || TlsSecret { namespace: namespace.into(), name: name.into(), names: Vec::new(), source, adopts };
        all.entry((namespace, name)).or_insert_with(new).names.extend(site.names().map(str::to_owned));
    }
    all.into_values().map(|secret| Box::new(secret) as Box<dyn Step>).collect()
}

/// The Secrets of all sites. One that cert-manager writes by now may bear our label still.
pub(super) fn objects(inventory: &Inventory) -> impl Iterator<Item = ObjectRef> {
    let places = inventory.sites.iter().filter_map(|site| place(inventory, site));
    places.map(|(namespace, name)| ObjectRef::new("v1", "Secret", namespace, name))
}

/// Namespace and name.
fn place<'a>(inventory: &'a Inventory, site: &'a Site) -> Option<(&'a str, &'a str)> {
    inventory.namespace_of(site).zip(site.certificate.as_deref())
}

impl Source {
    fn of(site: &Site) -> Option<Self> {
        match site.tls {
            Tls::SelfSigned => Some(Self::Made),
            Tls::OwnCa => {
                let (certificate, key, ca) = (site.certificate_file.clone()?, site.key_file.clone()?, site.ca_file.clone()?);
                Some(Self::Files(Files { certificate, key, ca }))
            }
            Tls::Acme | Tls::Off => None,
        }
    }
}

impl Step for TlsSecret {
    fn id(&self) -> StepId {
        StepId::named("tls-secret", format!("{}/{}", self.namespace, self.name))
    }

    fn scope(&self) -> Scope {
        Scope::Cluster
    }

    fn questions(&self, _: &View<'_>) -> Vec<Question> {
        let live = ApiQuestion::Secret { namespace: self.namespace.clone(), name: self.name.clone() };
        let files = match &self.source {
            Source::Made => Vec::new(),
            Source::Files(Files { certificate, key, ca }) => [certificate, key, ca].map(|path| OperatorQuestion::File(path.clone())).into(),
        };
        let asked =
            [Question::Api(live), Question::Api(ApiQuestion::Object(self.certificate())), Question::Operator(OperatorQuestion::Clock)];
        asked.into_iter().chain(files.into_iter().map(Question::Operator)).collect()
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        let (live, now) = (seen.secret(&self.namespace, &self.name)?, seen.clock()?);
        let rival = seen.object(&self.certificate())?.map(|_| self.rival());
        if let Some(finding) = live.and_then(|live| self.foreign(live)).or(rival) {
            return Ok(Plan::Unmet(vec![finding]).into());
        }
        match &self.source {
            Source::Made => Ok(self.make(live, now)),
            Source::Files(files) => self.take(files, live, seen, now),
        }
    }
}

impl TlsSecret {
    /// What an Ingress with cert-manager's annotation would ask for: a certificate that never comes, order after order (contract §4.2).
    fn certificate(&self) -> ObjectRef {
        ObjectRef::new("cert-manager.io/v1", "Certificate", &self.namespace, &self.name)
    }

    fn rival(&self) -> Finding {
        let cure = format!("take the annotation {ISSUER} off its Ingress; sites by ACME have an Ingress of their own");
        Finding::new(format!("{} asks cert-manager for what lies in the same secret", self.certificate()), cure)
    }

    /// A Secret that is not ours to write.
    fn foreign(&self, live: &LiveSecret) -> Option<Finding> {
        let Self { namespace, name, source, .. } = self;
        let whose = if live.annotations.contains_key("cert-manager.io/certificate-name") {
            "is cert-manager's"
        } else if live.kind != SecretKind::Tls.name() {
            "is no TLS secret"
        } else if matches!(source, Source::Made) && !is_labelled(live) {
            "was not made by bedplate"
        } else {
            return None;
        };
        let cure = format!("give `certificate` another name, in the chart too, or: kubectl -n {namespace} delete secret {name}");
        Some(Finding::new(format!("secret {namespace}/{name} {whose}: it is left alone"), cure))
    }

    /// The live one wins until its time comes, or it is no use.
    fn make(&self, live: Option<&LiveSecret>, now: i64) -> Planned {
        let Some(why) = self.lacks(live, now) else { return Plan::Converged.into() };
        let wanted = CertificateSpec {
            namespace: self.namespace.clone(),
            name: self.name.clone(),
            names: self.names.clone(),
            resource_version: live.map(|live| live.resource_version.clone()),
        };
        Planned::act(vec![Action::Api(ApiAction::CreateCertificate(wanted))], vec![why])
    }

    fn lacks(&self, live: Option<&LiveSecret>, now: i64) -> Option<String> {
        let Some(live) = live else { return Some("it is absent".into()) };
        let part = |key: &str| live.data.get(key).ok_or_else(|| format!("{key} is gone"));
        let (chain, key, ca) = match (part(TLS_CHAIN), part(TLS_KEY), part(TLS_CA)) {
            (Ok(chain), Ok(key), Ok(ca)) => (chain, key, ca),
            (Err(why), ..) | (_, Err(why), _) | (.., Err(why)) => return Some(why),
        };
        if let Err(Fault { part, what }) = judge::judge(&Material { chain, key, ca }, &self.names, now) {
            let key = match part {
                Part::Certificate => TLS_CHAIN,
                Part::Key => TLS_KEY,
                Part::Ca => TLS_CA,
            };
            return Some(format!("{key}: {what}"));
        }
        let Some(leaf) = Leaf::of(live) else { return Some(format!("{TLS_CHAIN} can't be read")) };
        (leaf.not_after - now < DUE).then(|| format!("it ends in {}; visitors must trust the new {TLS_CA}", span(leaf.not_after - now)))
    }

    /// The Secret holds the files, if they are any use.
    fn take(&self, files: &Files, live: Option<&LiveSecret>, seen: &View<'_>, now: i64) -> Result<Planned, Missing> {
        let mut lacking = Vec::new();
        let mut read = |path: &PathBuf| -> Result<Secret, Missing> {
            let found = seen.file(path)?;
            if found.is_none() {
                lacking.push(Finding::new(format!("{} is not there", path.display()), "put it there, or name another file"));
            }
            Ok(found.cloned().unwrap_or_else(|| Secret::new("")))
        };
        let (chain, key, ca) = (read(&files.certificate)?, read(&files.key)?, read(&files.ca)?);
        if !lacking.is_empty() {
            return Ok(Plan::Unmet(lacking).into());
        }
        if let Err(fault) = judge::judge(&Material { chain: &chain, key: &key, ca: &ca }, &self.names, now) {
            return Ok(Plan::Unmet(vec![files.told(fault)]).into());
        }
        let data: BTreeMap<String, Secret> = [(TLS_CHAIN.to_owned(), chain), (TLS_KEY.to_owned(), key)].into();
        let reasons = differences(live, &data);
        if reasons.is_empty() {
            return Ok(Plan::Converged.into());
        }
        if live.is_some_and(|live| !is_labelled(live)) && !self.adopts {
            let what = format!("secret {}/{} holds another certificate, and bedplate did not make it", self.namespace, self.name);
            let cure = format!("run with --adopt to put the files there ({}), or give `certificate` another name", reasons.join(", "));
            return Ok(Plan::Unmet(vec![Finding::new(what, cure)]).into());
        }
        let (namespace, name) = (self.namespace.clone(), self.name.clone());
        let resource_version = live.map(|live| live.resource_version.clone());
        let spec = SecretSpec { namespace, name, kind: SecretKind::Tls, data, annotations: BTreeMap::new(), resource_version };
        Ok(Planned::act(vec![Action::Api(ApiAction::PutSecret(spec))], reasons))
    }
}

impl Files {
    fn told(&self, Fault { part, what }: Fault) -> Finding {
        let (path, cure) = match part {
            Part::Certificate => {
                (&self.certificate, "let certificate_file hold the leaf for all names of the site, its intermediates behind it")
            }
            Part::Key => (&self.key, "let key_file hold the private key of that certificate, without a passphrase"),
            Part::Ca => (&self.ca, "let ca_file hold the root certificate of the CA"),
        };
        Finding::new(format!("{}: {what}", path.display()), cure)
    }
}
