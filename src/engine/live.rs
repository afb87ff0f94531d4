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

/// Everything that a run reaches.
pub struct Live {
    remotes: BTreeMap<HostId, Arc<Remote>>,
    server: HostId,
    cluster: Mutex<Option<Arc<Cluster>>>,
    outside: Outside,
    artifacts: Arc<Artifacts>,
}

impl Live {
    /// Hosts that are connected already; the API is reached when it is first asked.
    #[must_use]
    pub fn new(remotes: BTreeMap<HostId, Arc<Remote>>, server: HostId, outside: Outside, artifacts: Artifacts) -> Self {
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
        self.remotes
            .get(host)
            .ok_or_else(|| Failure::new(format!("reach {host}"), "it isn't connected", "report this as a bug of bedplate"))
    }

    async fn hosts(&self, questions: Vec<(HostId, HostQuestion)>) -> Result<Vec<(Question, Answer)>, Failure> {
        let mut by_host: BTreeMap<HostId, Vec<HostQuestion>> = BTreeMap::new();
        for (host, question) in questions {
            by_host.entry(host).or_default().push(question);
        }
        let asked = by_host.into_iter().map(|(host, questions)| async move {
            let answers = self.remote(&host)?.ask(questions).await?;
            Ok(answers.into_iter().map(|(question, answer)| (Question::Host(host.clone(), question), answer)).collect::<Vec<_>>())
        });
        let answered: Result<Vec<_>, Failure> = join_all(asked).await.into_iter().collect();
        Ok(answered?.into_iter().flatten().collect())
    }

    async fn api(&self, questions: Vec<ApiQuestion>) -> Result<Vec<(Question, Answer)>, Failure> {
        if questions.is_empty() {
            return Ok(Vec::new());
        }
        let answers = match self.cluster().await {
            Ok(cluster) => cluster.ask(questions).await,
            Err(why) => questions.into_iter().map(|question| (question, Answer::Unreadable(why.clone()))).collect(),
        };
        if answers.iter().all(|(_, answer)| matches!(answer, Answer::Unreadable(_))) {
            // A reinstalled k3s has another CA, a restarted one other certificates: meet it anew.
            *self.cluster.lock().await = None;
        }
        Ok(answers.into_iter().map(|(question, answer)| (Question::Api(question), answer)).collect())
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

    async fn operator(&self, questions: Vec<OperatorQuestion>) -> Result<Vec<(Question, Answer)>, Failure> {
        let artifacts = Arc::clone(&self.artifacts);
        let asked = move || {
            let answer = |question: OperatorQuestion| {
                let answer = operator::ask(&question, &artifacts);
                (Question::Operator(question), answer)
            };
            questions.into_iter().map(answer).collect()
        };
        tokio::task::spawn_blocking(asked)
            .await
            .map_err(|error| Failure::new("look at the operator's files", error.to_string(), "report this as a bug of bedplate"))
    }
}

#[async_trait]
impl Ground for Live {
    async fn ask(&self, questions: Vec<Question>) -> Result<Vec<(Question, Answer)>, Failure> {
        let (mut hosts, mut api, mut outside, mut operator) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for question in questions {
            match question {
                Question::Host(host, question) => hosts.push((host, question)),
                Question::Api(question) => api.push(question),
                Question::Outside(question) => outside.push(question),
                Question::Operator(question) => operator.push(question),
            }
        }
        let seen = async {
            let answers = self.outside.ask(outside).await;
            Ok(answers.into_iter().map(|(question, answer)| (Question::Outside(question), answer)).collect::<Vec<_>>())
        };
        let (hosts, api, seen, operator) = tokio::try_join!(self.hosts(hosts), self.api(api), seen, self.operator(operator))?;
        Ok([hosts, api, seen, operator].into_iter().flatten().collect())
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
