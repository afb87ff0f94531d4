//! The API server, through a socket that SSH forwards: questions answered, actions performed.
//! Nothing of the host's kubeconfig is trusted beyond its certificates: no `exec`, no paths, no address.

mod certificate;
mod credentials;
mod database;
mod dry_run;
mod exec;
mod key_pair;
mod kinds;
mod known;
mod line;
mod read;
mod refusal;
mod release;
mod renew;
mod secret_patch;
mod write;

use std::path::Path;
use std::time::Duration;

use ::kube::client::{Body, ConfigExt};
use ::kube::{Client, Config};
use futures::StreamExt;
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde_json::Value;
use tokio::net::UnixStream;
use tower::{BoxError, ServiceBuilder};
use tower_http::decompression::DecompressionLayer;

use crate::model::{Answer, ApiAction, ApiQuestion, Failure, Secret};

use kinds::Kinds;
use line::{Dial, Protocol};

/// Our field manager: one name for ever, since fields owned by an older name would never be removed (contract §6).
const MANAGER: &str = "bedplate";
/// The certificate's name for the local API server; the forwarded socket leads there.
const SERVER: &str = "https://127.0.0.1:6443";
/// How long one question or action may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Questions in flight at once, all over one HTTP/2 connection: as many as the API server takes of a client (100 streams), since each
/// full round costs a round trip.
const ABREAST: usize = 100;

/// One cluster's API server.
pub struct Cluster {
    client: Client,
    /// Over connections of their own, in HTTP/1.1: the API server upgrades no others.
    upgrading: Client,
    kinds: Kinds,
}

impl Cluster {
    /// Prepares a client with the certificates of `kubeconfig` (k3s.yaml's content) that dials `socket`, which must lead to
    /// the API server's 127.0.0.1:6443. `opened` leads through it already, if there was time for that; else nothing is dialled yet.
    ///
    /// # Errors
    /// When `kubeconfig` lacks usable certificates.
    pub fn connect(kubeconfig: &Secret, socket: &Path, opened: Option<UnixStream>) -> Result<Self, Failure> {
        let tls = credentials::client_config(kubeconfig).map_err(|seen| {
            Failure::new("read the cluster's kubeconfig", seen, "restart k3s, which writes /etc/rancher/k3s/k3s.yaml anew")
        })?;
        let http = legacy::Client::builder(TokioExecutor::new())
            .http2_only(true)
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .build::<_, Body>(Dial::new(socket, opened, tls.clone(), Protocol::Http2));
        let plain = legacy::Client::builder(TokioExecutor::new()).build::<_, Body>(Dial::new(socket, None, tls, Protocol::Http1));
        let base = Config::new(http::Uri::from_static(SERVER)).base_uri_layer();
        let upgrading = Client::new(ServiceBuilder::new().layer(base.clone()).map_err(BoxError::from).service(plain), "default");
        // The API server packs what is larger than 128 KiB for those who say that they can unpack it.
        let service = ServiceBuilder::new().layer(base).layer(DecompressionLayer::new()).map_err(BoxError::from).service(http);
        let client = Client::new(service, "default");
        Ok(Self { kinds: Kinds::new(client.clone()), client, upgrading })
    }

    /// Asks all of them side by side. Answers come in the order in which they arrive.
    pub async fn ask(&self, questions: Vec<ApiQuestion>) -> Vec<(ApiQuestion, Answer)> {
        let known = |question: &ApiQuestion| read::kind_of(question).is_none_or(|(version, kind)| self.kinds.knows(version, kind));
        let (at_once, later): (Vec<_>, Vec<_>) = questions.into_iter().partition(known);
        let met = async {
            match tokio::time::timeout(PATIENCE, self.kinds.meet(later.iter().filter_map(read::kind_of))).await {
                Ok(()) => self.answers(later).await,
                Err(_) => later.into_iter().map(|question| (question, Answer::Unreadable(refusal::silence()))).collect(),
            }
        };
        let (mut answers, met) = tokio::join!(self.answers(at_once), met);
        answers.extend(met);
        answers
    }

    async fn answers(&self, questions: Vec<ApiQuestion>) -> Vec<(ApiQuestion, Answer)> {
        let asked = questions.into_iter().map(|question| async move {
            let answer = match tokio::time::timeout(PATIENCE, self.answer(&question)).await {
                Ok(answer) => answer,
                Err(_) => Answer::Unreadable(refusal::silence()),
            };
            (question, answer)
        });
        futures::stream::iter(asked).buffer_unordered(ABREAST).collect().await
    }

    /// Performs one action.
    ///
    /// # Errors
    /// What was tried, the server's status and reason, and the cure. No value of a Secret is ever in it.
    pub async fn perform(&self, action: &ApiAction) -> Result<(), Failure> {
        let silent = |_| Failure::new(action.to_string(), refusal::silence(), "look at `journalctl -u k3s` on the server, then run again");
        tokio::time::timeout(PATIENCE, self.write(action)).await.map_err(silent)?
    }

    /// One request whose answer is JSON.
    async fn fetch(&self, request: Result<http::Request<Vec<u8>>, ::kube::core::request::Error>) -> Result<Value, ::kube::Error> {
        self.client.request(request.map_err(::kube::Error::BuildRequest)?).await
    }
}
