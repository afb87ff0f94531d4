//! The real world: hosts over SSH, the API through a forwarded socket, the outside, the operator's machine.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use futures::future::join_all;
use tokio::sync::Mutex;

use super::Ground;
use crate::artifacts::Artifacts;
use crate::kube::Cluster;
use crate::model::{
    Action, Answer, ApiQuestion, ChartSource, Failure, HostAction, HostId, HostQuestion, OperatorQuestion, Pin, Question, ReleaseAction,
    Reply,
};
use crate::operator;
use crate::outside::Outside;
use crate::remote::{Lock, Remote};

/// k3s' own kubeconfig (k3s-docs:cluster-access).
const KUBECONFIG: &str = "/etc/rancher/k3s/k3s.yaml";

/// A host, or why it can't be reached.
pub type Reached = Result<Arc<Remote>, Arc<Failure>>;

/// Everything that a run reaches.
pub struct Live {
    remotes: BTreeMap<HostId, Reached>,
    server: HostId,
    cluster: Mutex<Option<Arc<Cluster>>>,
    outside: Outside,
    artifacts: Arc<Artifacts>,
}

impl Live {
    /// Hosts that are connected already, as far as they can be; the API is reached when it is first asked.
    #[must_use]
    pub fn new(remotes: BTreeMap<HostId, Reached>, server: HostId, outside: Outside, artifacts: Artifacts) -> Self {
        Self { remotes, server, cluster: Mutex::new(None), outside, artifacts: Arc::new(artifacts) }
    }

    /// Takes the lock on the first server.
    ///
    /// # Errors
    /// Another run holds it (75), or the host can't be reached.
    pub async fn lock(&self) -> Result<Lock, Failure> {
        self.remote(&self.server)?.lock().await
    }

    fn remote(&self, host: &HostId) -> Result<&Arc<Remote>, Failure> {
        match self.remotes.get(host) {
            Some(Ok(remote)) => Ok(remote),
            Some(Err(failure)) => Err(failure.as_ref().clone()),
            None => Err(Failure::new(format!("reach {host}"), "it isn't connected", "report this as a bug of bedplate")),
        }
    }

    async fn hosts(&self, questions: Vec<(HostId, HostQuestion)>) -> Vec<(Question, Answer)> {
        let mut by_host: BTreeMap<HostId, Vec<HostQuestion>> = BTreeMap::new();
        for (host, question) in questions {
            by_host.entry(host).or_default().push(question);
        }
        let asked = by_host.into_iter().map(|(host, questions)| async move {
            let answers = match self.remote(&host) {
                Ok(remote) => remote.ask(questions.clone()).await,
                Err(failure) => Err(failure),
            };
            let answers = answers.unwrap_or_else(|failure| {
                let lost = Answer::Lost(Arc::new(failure));
                questions.into_iter().map(|question| (question, lost.clone())).collect()
            });
            answers.into_iter().map(move |(question, answer)| (Question::Host(host.clone(), question), answer))
        });
        join_all(asked).await.into_iter().flatten().collect()
    }

    async fn api(&self, questions: Vec<ApiQuestion>) -> Vec<(Question, Answer)> {
        if questions.is_empty() {
            return Vec::new();
        }
        let answers = match self.cluster().await {
            Ok(cluster) => cluster.ask(questions).await,
            Err(why) => questions.into_iter().map(|question| (question, Answer::Unreadable(why.clone()))).collect(),
        };
        if answers.iter().all(|(_, answer)| matches!(answer, Answer::Unreadable(_))) {
            // A reinstalled k3s has another CA, a restarted one other certificates: meet it anew.
            *self.cluster.lock().await = None;
        }
        answers.into_iter().map(|(question, answer)| (Question::Api(question), answer)).collect()
    }

    /// The API server, or in words why it can't be asked.
    async fn cluster(&self) -> Result<Arc<Cluster>, String> {
        let mut known = self.cluster.lock().await;
        if let Some(cluster) = known.as_ref() {
            return Ok(Arc::clone(cluster));
        }
        let said = |failure: Failure| failure.to_string();
        let remote = self.remote(&self.server).map_err(said)?;
        let answers = remote.ask(vec![HostQuestion::Content(KUBECONFIG.into())]).await.map_err(said)?;
        let kubeconfig = match answers.into_iter().next().map(|(_, answer)| answer) {
            Some(Answer::Present(Reply::Bytes(kubeconfig))) => kubeconfig,
            Some(Answer::Unreadable(why)) => return Err(why),
            _ => return Err(format!("k3s has not started on {} yet: there is no {KUBECONFIG}", self.server)),
        };
        let socket = remote.api_socket().await.map_err(said)?;
        let cluster = Arc::new(Cluster::connect(&kubeconfig, &socket).map_err(said)?);
        *known = Some(Arc::clone(&cluster));
        Ok(cluster)
    }

    async fn operator(&self, questions: Vec<OperatorQuestion>) -> Vec<(Question, Answer)> {
        let asked = questions.into_iter().map(|question| async {
            let artifacts = Arc::clone(&self.artifacts);
            let asking = question.clone();
            // It reads files: not on a thread that has others to serve.
            let answer = tokio::task::spawn_blocking(move || operator::ask(&asking, &artifacts)).await;
            (Question::Operator(question), answer.unwrap_or_else(|error| Answer::Unreadable(error.to_string())))
        });
        join_all(asked).await
    }
}

#[async_trait]
impl Ground for Live {
    async fn ask(&self, questions: Vec<Question>) -> Vec<(Question, Answer)> {
        let (mut hosts, mut api, mut outside, mut operator) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for question in questions {
            match question {
                Question::Host(host, question) => hosts.push((host, question)),
                Question::Api(question) => api.push(question),
                Question::Outside(question) => outside.push(question),
                Question::Operator(question) => operator.push(question),
            }
        }
        let (hosts, api, seen, operator) =
            tokio::join!(self.hosts(hosts), self.api(api), self.outside.ask(outside), self.operator(operator));
        let seen = seen.into_iter().map(|(question, answer)| (Question::Outside(question), answer));
        hosts.into_iter().chain(api).chain(seen).chain(operator).collect()
    }

    async fn perform(&self, action: &Action, sent: &(dyn Fn(u64, u64) + Send + Sync)) -> Result<(), Failure> {
        match action {
            Action::Host(host, action) => {
                let fetched = match artifact(action) {
                    Some(pin) => Some(self.artifacts.local(pin, sent).await?),
                    None => None,
                };
                let located = |_: &Pin| fetched.clone().unwrap_or_default();
                self.remote(host)?.perform(action, &located, sent).await
            }
            Action::Api(action) => {
                let cluster = self.cluster().await.map_err(|why| Failure::new("reach the API server", why, "run bedplate again"))?;
                cluster.perform(action).await
            }
            Action::Operator(action) => operator::perform(action, &self.artifacts, sent).await,
        }
    }

    async fn resume(&self, host: &HostId) -> Result<(), Failure> {
        self.remote(host).map(drop)
    }
}

/// The artifact that an action needs on the operator's side.
fn artifact(action: &HostAction) -> Option<&Pin> {
    match action {
        HostAction::Install(install) => Some(&install.pin),
        HostAction::Release(ReleaseAction::Upgrade(release)) => match &release.chart {
            ChartSource::Artifact(pin) => Some(pin),
            ChartSource::Path(_) => None,
        },
        _ => None,
    }
}
