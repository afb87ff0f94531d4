//! A helm release as helm's storage driver keeps it (contract §5.4): Secrets `sh.helm.release.v1.<name>.v<N>`.

use std::io::Read;

use ::kube::api::{GetParams, ListParams};
use ::kube::core::Request;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::model::{CHART_LABEL, LiveRelease, ObjectRef, marked};

use super::Cluster;
use super::read::secrets_in;
use super::refusal::{is_absent, told_of_secret};

/// An unpacked release larger than this is not read: a Secret holds 1 MiB, so more is a gzip bomb.
const LARGEST: u64 = 64 << 20;

impl Cluster {
    /// The newest revision; `None` if there is none.
    pub(super) async fn release(&self, namespace: &str, name: &str) -> Result<Option<LiveRelease>, String> {
        // Revisions are large and up to ten: their labels tell which one is wanted.
        let selector = format!("owner=helm,name={name}");
        let revisions = Request::new(secrets_in(namespace)).list_metadata(&ListParams::default().labels(&selector));
        // Most often it is the one that is deployed: that one is asked for along with the labels, to save a round trip.
        let deployed = Request::new(secrets_in(namespace)).list(&ListParams::default().labels(&format!("{selector},status=deployed")));
        let (listed, deployed) = tokio::join!(self.fetch(revisions), self.fetch(deployed));
        let (listed, mut deployed) = listed.and_then(|listed| Ok((listed, deployed?))).map_err(|error| told_of_secret(&error))?;
        let revisions: Vec<Revision> = listed["items"].as_array().into_iter().flatten().filter_map(Revision::read).collect();
        let Some(newest) = revisions.iter().max_by_key(|revision| revision.number) else { return Ok(None) };

        let at_hand = deployed["items"].as_array_mut().into_iter().flatten().find(|item| item["metadata"]["name"] == newest.secret);
        let found = match at_hand {
            Some(found) => found.take(),
            None => {
                let request = Request::new(secrets_in(namespace)).get(&newest.secret, &GetParams::default());
                match self.fetch(request).await {
                    Ok(found) => found,
                    // Helm pruned or uninstalled it between the two requests.
                    Err(error) if is_absent(&error) => return Ok(None),
                    Err(error) => return Err(told_of_secret(&error)),
                }
            }
        };
        let unreadable = |what: &str| format!("secret {namespace}/{}: {what}", newest.secret);
        let encoded = found.pointer("/data/release").and_then(Value::as_str).ok_or_else(|| unreadable("it holds no release"))?;
        let stored = unpack(encoded).map_err(unreadable)?;
        let mut objects = objects(&stored.manifest).map_err(unreadable)?;
        self.place(&mut objects, namespace).await?;
        Ok(Some(LiveRelease {
            revision: newest.number,
            status: newest.status.clone(),
            deployed: revisions.iter().filter(|revision| revision.status == "deployed").map(|revision| revision.number).max(),
            chart_version: stored.chart.metadata.version,
            chart_digest: newest.chart.clone(),
            foreign: newest.foreign,
            changed: newest.changed,
            values: Value::Object(stored.config.unwrap_or_default()),
            objects,
        }))
    }

    /// The objects of a manifest as helm renders it for a release of this namespace, Secrets left out.
    ///
    /// # Errors
    /// It is no YAML, or the API server does not tell its kinds.
    pub async fn rendered(&self, manifest: &str, namespace: &str) -> Result<Vec<Value>, String> {
        let mut objects = objects(manifest)?;
        self.place(&mut objects, namespace).await?;
        Ok(objects)
    }

    /// Fills the release's namespace in where helm left it to the server. Of kinds that are not served yet nothing is known.
    async fn place(&self, objects: &mut [Value], namespace: &str) -> Result<(), String> {
        let refs: Vec<ObjectRef> = objects.iter().map(reference).collect();
        self.kinds.meet(refs.iter().map(|object| (object.api_version.as_str(), object.kind.as_str()))).await;
        for (body, object) in objects.iter_mut().zip(&refs) {
            let namespaced = self.kinds.of(object)?.is_some_and(|kind| kind.is_namespaced());
            if namespaced && object.namespace.is_empty() {
                body["metadata"]["namespace"] = namespace.into();
            }
        }
        Ok(())
    }
}

fn reference(body: &Value) -> ObjectRef {
    let text = |pointer| body.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    ObjectRef::new(text("/apiVersion"), text("/kind"), text("/metadata/namespace"), text("/metadata/name"))
}

/// One revision, as its Secret's labels tell it.
struct Revision {
    number: u32,
    status: String,
    secret: String,
    chart: String,
    foreign: bool,
    changed: i64,
}

impl Revision {
    fn read(item: &Value) -> Option<Self> {
        let metadata = item.get("metadata")?;
        let label = |name: &str| metadata.get("labels")?.get(name)?.as_str();
        let number = label("version")?.parse().ok()?;
        // helm also carries over when the former revision was modified: the later one counts (helm: pkg/storage/driver/secrets.go).
        let times = ["createdAt", "modifiedAt"].into_iter().filter_map(|name| label(name)?.parse().ok());
        Some(Self {
            number,
            status: label("status")?.into(),
            secret: metadata.get("name")?.as_str()?.into(),
            foreign: label(CHART_LABEL).is_none(),
            chart: label(CHART_LABEL).and_then(|label| marked(label, number)).unwrap_or_default().into(),
            changed: times.max().unwrap_or_default(),
        })
    }
}

/// What helm stores, as far as it is looked at.
#[derive(Deserialize)]
struct Stored {
    chart: Chart,
    #[serde(default)]
    config: Option<Map<String, Value>>,
    #[serde(default)]
    manifest: String,
}

#[derive(Deserialize)]
struct Chart {
    metadata: ChartMetadata,
}

#[derive(Deserialize)]
struct ChartMetadata {
    #[serde(default)]
    version: String,
}

/// `encoded` is base64 of the API around base64 of helm around gzip around JSON. Errors quote nothing: values may be secret.
fn unpack(encoded: &str) -> Result<Stored, &'static str> {
    let helms = STANDARD.decode(encoded).map_err(|_| "its data is not base64")?;
    let packed = STANDARD.decode(helms).map_err(|_| "its release is not base64")?;
    let mut json = Vec::new();
    GzDecoder::new(packed.as_slice()).take(LARGEST).read_to_end(&mut json).map_err(|_| "its release is not gzip")?;
    serde_json::from_slice(&json).map_err(|_| "its release is not what helm writes")
}

/// The objects of a rendered manifest, Secrets left out. Scalars as helm's YAML reads them: `0444` is octal.
fn objects(manifest: &str) -> Result<Vec<Value>, &'static str> {
    let options = serde_saphyr::options! { legacy_octal_numbers: true, budget: None };
    let documents: Vec<Value> =
        serde_saphyr::from_multiple_with_options(manifest, options).map_err(|_| "its manifest is not YAML that can be read")?;
    let flat = documents.into_iter().flat_map(|mut document| match document["kind"].as_str() {
        Some("List") => match document["items"].take() {
            Value::Array(items) => items,
            _ => Vec::new(),
        },
        _ => vec![document],
    });
    Ok(flat.filter(|object| object.is_object() && object["kind"] != "Secret").collect())
}

#[cfg(test)]
#[path = "release_tests.rs"]
mod tests;
