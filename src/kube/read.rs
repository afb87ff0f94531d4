//! Questions to the API server and their answers.

use std::collections::BTreeMap;

use ::kube::api::{GetParams, ListParams};
use ::kube::core::Request;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;

use crate::model::{Answer, ApiQuestion, LiveSecret, ObjectRef, Reply, Secret};

use super::Cluster;
use super::kinds::Kind;
use super::refusal::{is_absent, told, told_of_secret};

/// API version and kind that must be known before `question` can be asked.
pub fn kind_of(question: &ApiQuestion) -> Option<(&str, &str)> {
    let object = match question {
        ApiQuestion::Object(object) | ApiQuestion::List { of: object, .. } | ApiQuestion::Metadata { of: object, .. } => object,
        ApiQuestion::DryRun(manifest) => manifest.object(),
        ApiQuestion::Ready | ApiQuestion::Secret { .. } | ApiQuestion::Release { .. } => return None,
        ApiQuestion::Login { .. } | ApiQuestion::AnyPassword(_) => return None,
    };
    Some((&object.api_version, &object.kind))
}

impl Cluster {
    /// Answers one question; the kinds in it have been met.
    pub(super) async fn answer(&self, question: &ApiQuestion) -> Answer {
        let found = match question {
            ApiQuestion::Ready => self.ready().await.map(|said| Some(Reply::Text(said))),
            ApiQuestion::Object(object) => self.object(object).await.map(|found| found.map(Reply::Object)),
            ApiQuestion::List { of, selector } => self.list(of, selector).await.map(|found| found.map(Reply::Objects)),
            ApiQuestion::Metadata { of, selector } => self.metadata(of, selector).await.map(|found| found.map(Reply::Objects)),
            ApiQuestion::Secret { namespace, name } => self.secret(namespace, name).await.map(|found| found.map(Reply::Secret)),
            ApiQuestion::Release { namespace, name } => {
                self.release(namespace, name).await.map(|found| found.map(|release| Reply::Release(Box::new(release))))
            }
            ApiQuestion::Login { login, password } => self.logs_in(login, password).await.map(|let_in| let_in.then_some(Reply::Open)),
            ApiQuestion::AnyPassword(login) => self.takes_any_password(login).await.map(|let_in| let_in.then_some(Reply::Open)),
            ApiQuestion::DryRun(manifest) => self.dry_run(manifest).await.map(|outcome| Some(Reply::DryRun(outcome))),
        };
        match found {
            Ok(Some(reply)) => Answer::Present(reply),
            Ok(None) => Answer::Absent,
            Err(reason) => Answer::Unreadable(reason),
        }
    }

    async fn ready(&self) -> Result<String, String> {
        let request = http::Request::get("/readyz").body(Vec::new()).map_err(|error| error.to_string())?;
        self.client.request_text(request).await.map_err(|error| told(&error))
    }

    /// An object as it lives; `None` if it is absent or its kind is not served.
    pub(super) async fn object(&self, object: &ObjectRef) -> Result<Option<Value>, String> {
        let Some(kind) = self.kinds.of(object)? else { return Ok(None) };
        let request = Request::new(kind.home(object)).get(&object.name, &GetParams::default());
        match self.fetch(request).await {
            Ok(found) => Ok(Some(found)),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(told(&error)),
        }
    }

    async fn list(&self, of: &ObjectRef, selector: &str) -> Result<Option<Vec<Value>>, String> {
        let Some(home) = self.collection(of)? else { return Ok(None) };
        let request = home.list(&ListParams::default().labels(selector));
        let Some(mut items) = self.items(request).await? else { return Ok(None) };
        for item in &mut items {
            // The server leaves both out of a list's items.
            item["apiVersion"] = of.api_version.clone().into();
            item["kind"] = of.kind.clone().into();
        }
        Ok(Some(items))
    }

    async fn metadata(&self, of: &ObjectRef, selector: &str) -> Result<Option<Vec<Value>>, String> {
        let Some(home) = self.collection(of)? else { return Ok(None) };
        self.items(home.list_metadata(&ListParams::default().labels(selector))).await
    }

    /// Where the objects of a kind lie; `None` if it is not served.
    fn collection(&self, of: &ObjectRef) -> Result<Option<Request>, String> {
        let path = |kind: Kind| if of.namespace.is_empty() { kind.everywhere() } else { kind.home(of) };
        Ok(self.kinds.of(of)?.map(|kind| Request::new(path(kind))))
    }

    /// What a list holds; `None` if its kind is not served.
    async fn items(&self, request: Result<http::Request<Vec<u8>>, ::kube::core::request::Error>) -> Result<Option<Vec<Value>>, String> {
        let mut found = match self.fetch(request).await {
            Ok(found) => found,
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) => return Err(told(&error)),
        };
        Ok(Some(match found["items"].take() {
            Value::Array(items) => items,
            _ => Vec::new(),
        }))
    }

    /// A Secret, decoded.
    pub(super) async fn secret(&self, namespace: &str, name: &str) -> Result<Option<LiveSecret>, String> {
        let request = Request::new(secrets_in(namespace)).get(name, &GetParams::default());
        match self.fetch(request).await {
            Ok(found) => decode(found).map(Some).ok_or_else(|| "the API server's answer is not a Secret".into()),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(told_of_secret(&error)),
        }
    }
}

/// URL path of a namespace's Secrets.
pub fn secrets_in(namespace: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/secrets")
}

#[derive(Deserialize)]
struct SecretBody {
    metadata: Metadata,
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    data: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    resource_version: String,
    #[serde(default)]
    creation_timestamp: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

/// `None` for what is no Secret: the parser's own error would quote a value.
fn decode(body: Value) -> Option<LiveSecret> {
    let body: SecretBody = serde_json::from_value(body).ok()?;
    let data = body.data.into_iter().map(|(key, value)| Some((key, Secret::new(STANDARD.decode(value).ok()?))));
    Some(LiveSecret {
        resource_version: body.metadata.resource_version,
        kind: body.kind,
        created: body.metadata.creation_timestamp.parse().map_or(0, jiff::Timestamp::as_second),
        labels: body.metadata.labels,
        annotations: body.metadata.annotations,
        data: data.collect::<Option<_>>()?,
    })
}
