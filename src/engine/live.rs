//! The real world: hosts over SSH, the API through a forwarded socket, the outside, the operator's machine.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use futures::future::join_all;
use serde_json::Value;
use tokio::net::UnixStream;
use tokio::sync::{Mutex, oneshot};

use super::Ground;
use crate::artifacts::Artifacts;
use crate::images::Images;
use crate::kube::Cluster;
use crate::model::{
    Action, Answer, ApiAction, ApiQuestion, ChartSource, Exit, Failure, HostAction, HostId, HostQuestion, K3S_KUBECONFIG, OperatorQuestion,
    Question, ReleaseAction, ReleaseUpgrade, Reply, Secret, Visit,
};
use crate::operator;
use crate::outside::{Outside, goal};
use crate::remote::{Hosts, Mark, Remote};

/// Everything that a run reaches.
pub struct Live {
    hosts: Hosts,
    cluster: Mutex<Option<Arc<Cluster>>>,
    outside: Outside,
    artifacts: Arc<Artifacts>,
    images: Arc<Images>,
}

impl Live {
    /// Hosts and the API are reached when they are first asked.
    #[must_use]
    pub fn new(hosts: Hosts, outside: Outside, artifacts: Artifacts, images: Images) -> Self {
        Self { hosts, cluster: Mutex::new(None), outside, artifacts: Arc::new(artifacts), images: Arc::new(images) }
    }

    /// Lets the hosts ask at the terminal what they must, before anything is shown there.
    pub async fn meet(&self) {
        self.hosts.meet().await;
    }

    /// Takes the locks of all hosts. Meanwhile the way to the API is opened: where there is none yet, who asks is told.
    ///
    /// # Errors
    /// Another run holds the first server's (75), or that can't be reached.
    pub async fn lock(&self) -> Result<(), Failure> {
        let (locked, _way) = tokio::join!(self.hosts.lock(), self.cluster(None));
        locked
    }

    /// Gives them back.
    pub async fn release(&self) {
        self.hosts.release().await;
    }

    /// `kubeconfig` gets k3s' own as soon as it is there, if it is among what is asked.
    async fn ask_hosts(&self, questions: Vec<(HostId, HostQuestion)>, kubeconfig: oneshot::Sender<Secret>) -> Vec<(Question, Answer)> {
        let mut by_host: BTreeMap<HostId, Vec<HostQuestion>> = BTreeMap::new();
        for (host, question) in questions {
            by_host.entry(host).or_default().push(question);
        }
        let mut kubeconfig = Some(kubeconfig);
        let asked = by_host.into_iter().map(|(host, mut questions)| {
            let mut kubeconfig = if host == *self.hosts.server() { kubeconfig.take() } else { None };
            // The first to be answered, since the API waits for it.
            questions.sort_by_key(|question| !is_kubeconfig(question));
            let heard = move |question: &HostQuestion, answer: &Answer| {
                if let Answer::Present(Reply::Bytes(bytes)) = answer
                    && is_kubeconfig(question)
                    && let Some(kubeconfig) = kubeconfig.take()
                {
                    // Nobody waits where the cluster is known already.
                    let _ = kubeconfig.send(bytes.clone());
                }
            };
            (host, questions, heard)
        });
        let asked = asked.map(|(host, questions, heard)| async move {
            let answers = match self.hosts.remote(&host).await {
                Ok(remote) => remote.hear(questions.clone(), heard).await,
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

    async fn api(&self, questions: Vec<ApiQuestion>, kubeconfig: oneshot::Receiver<Secret>) -> Vec<(Question, Answer)> {
        if questions.is_empty() {
            return Vec::new();
        }
        let answers = match self.cluster(Some(kubeconfig)).await {
            Ok(cluster) => cluster.ask(questions).await,
            Err(why) => questions.into_iter().map(|question| (question, Answer::Unreadable(why.clone()))).collect(),
        };
        if answers.iter().all(|(_, answer)| matches!(answer, Answer::Unreadable(_))) {
            // A reinstalled k3s has another CA, a restarted one other certificates: meet it anew.
            *self.cluster.lock().await = None;
            if let Err(failure) = self.server_stands("ask the API server").await {
                let lost = Answer::Lost(Arc::new(failure));
                return answers.into_iter().map(|(question, _)| (Question::Api(question), lost.clone())).collect();
            }
        }
        answers.into_iter().map(|(question, answer)| (Question::Api(question), answer)).collect()
    }

    /// The API server, or in words why it can't be asked. `kubeconfig` may bring k3s' own, which is asked for otherwise.
    async fn cluster(&self, kubeconfig: Option<oneshot::Receiver<Secret>>) -> Result<Arc<Cluster>, String> {
        let mut known = self.cluster.lock().await;
        if let Some(cluster) = known.as_ref() {
            return Ok(Arc::clone(cluster));
        }
        let said = |failure: Failure| failure.to_string();
        let remote = self.hosts.remote(self.hosts.server()).await.map_err(said)?;
        // The way through the host opens while the host looks for the kubeconfig.
        let way = async {
            let socket = remote.api_socket().await.map_err(said)?;
            let opened = UnixStream::connect(&socket).await.ok();
            Ok((socket, opened))
        };
        let (kubeconfig, (socket, opened)) = tokio::try_join!(self.kubeconfig(&remote, kubeconfig), way)?;
        let cluster = Arc::new(Cluster::connect(&kubeconfig, &socket, opened).map_err(said)?);
        *known = Some(Arc::clone(&cluster));
        Ok(cluster)
    }

    async fn kubeconfig(&self, remote: &Remote, heard: Option<oneshot::Receiver<Secret>>) -> Result<Secret, String> {
        if let Some(heard) = heard
            && let Ok(kubeconfig) = heard.await
        {
            return Ok(kubeconfig);
        }
        let answers = remote.ask(vec![HostQuestion::Content(K3S_KUBECONFIG.into())]).await.map_err(|failure| failure.to_string())?;
        match answers.into_iter().next().map(|(_, answer)| answer) {
            Some(Answer::Present(Reply::Bytes(kubeconfig))) => Ok(kubeconfig),
            Some(Answer::Unreadable(why)) => Err(why),
            _ => Err(format!("k3s has not started on {} yet: there is no {K3S_KUBECONFIG}", self.hosts.server())),
        }
    }

    /// # Errors
    /// The lock of the first server is lost, or the line to it.
    async fn server_stands(&self, tried: &str) -> Result<(), Failure> {
        self.hosts.remote(self.hosts.server()).await?.stands(tried).await
    }

    /// Performs what no worker on a host does. The first server's log tells of it.
    async fn perform_logged(&self, what: &str, done: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
        self.server_stands(what).await?;
        self.hosts.log(Mark::Begun, what).await;
        let done = done.await;
        self.hosts.log(if done.is_ok() { Mark::Done } else { Mark::Failed }, what).await;
        match done {
            // What ails the line is not the action's fault.
            Err(failure) => self.server_stands(what).await.and(Err(failure)),
            Ok(()) => Ok(()),
        }
    }

    async fn perform_api(&self, action: &ApiAction) -> Result<(), Failure> {
        let cluster = self.cluster(None).await.map_err(|why| Failure::new("reach the API server", why, "run bedplate again"))?;
        cluster.perform(action).await
    }

    async fn helm(&self, upgrades: Vec<(HostId, Box<ReleaseUpgrade>)>) -> Vec<(Question, Answer)> {
        let asked = upgrades.into_iter().map(|(host, upgrade)| async {
            let answer = match self.rendered(&host, &upgrade).await {
                Ok(objects) => Answer::Present(Reply::Objects(objects)),
                Err(failure) if failure.exit == Exit::Unreachable => Answer::Lost(Arc::new(failure)),
                Err(failure) => Answer::Unreadable(failure.seen),
            };
            (Question::HelmDryRun(host, upgrade), answer)
        });
        join_all(asked).await
    }

    /// What an upgrade would render.
    async fn rendered(&self, host: &HostId, upgrade: &ReleaseUpgrade) -> Result<Vec<Value>, Failure> {
        let chart = match &upgrade.chart {
            ChartSource::Path(path) => path.clone(),
            ChartSource::Artifact(pin) => self.artifacts.local(pin, &|_, _| {}).await?,
        };
        let unread = |seen: String| Failure::new(format!("render {}", upgrade.name), seen, "");
        let manifest = self.hosts.remote(host).await?.helm_dry_run(upgrade, &chart).await?;
        self.cluster(None).await.map_err(unread)?.rendered(&manifest, &upgrade.namespace).await.map_err(unread)
    }

    /// Where the file that an action needs lies on the operator's side; nowhere, if it needs none.
    async fn fetched(&self, action: &HostAction, sent: &(dyn Fn(u64, u64) + Send + Sync)) -> Result<PathBuf, Failure> {
        match action {
            HostAction::Install(install) => self.artifacts.local(&install.pin, sent).await,
            HostAction::Release(ReleaseAction::Upgrade { release, .. }) => match &release.chart {
                ChartSource::Artifact(pin) => self.artifacts.local(pin, sent).await,
                ChartSource::Path(path) => Ok(path.clone()),
            },
            HostAction::Import(import) => self.images.local(import, sent).await,
            _ => Ok(PathBuf::new()),
        }
    }

    /// What each host itself gets.
    async fn hairpins(&self, asked: Vec<(HostId, Visit)>) -> Vec<(Question, Answer)> {
        let asked = asked.into_iter().map(|(host, visit)| async {
            let answer = self.hairpin(&host, &visit).await.unwrap_or_else(|failure| match failure.exit {
                Exit::Unreachable => Answer::Lost(Arc::new(failure)),
                _ => Answer::Unreadable(failure.seen),
            });
            (Question::Hairpin(host, visit), answer)
        });
        join_all(asked).await
    }

    async fn hairpin(&self, host: &HostId, visit: &Visit) -> Result<Answer, Failure> {
        let Some(goal) = goal(visit) else { return Ok(Answer::Unreadable(format!("{visit:?} leads nowhere"))) };
        let remote = self.hosts.remote(host).await?;
        let socket = remote.forward(goal).await?;
        let answer = self.outside.through(&socket, visit).await;
        if answer == Answer::Absent && matches!(visit, Visit::Served { .. }) {
            // Who may not look has seen nothing, and pages are judged after the handshake only.
            remote.forwards().await?;
        }
        Ok(answer)
    }

    async fn operator(&self, questions: Vec<OperatorQuestion>) -> Vec<(Question, Answer)> {
        let asked = questions.into_iter().map(|question| async {
            let (artifacts, images) = (Arc::clone(&self.artifacts), Arc::clone(&self.images));
            let asking = question.clone();
            // It reads files: not on a thread that has others to serve.
            let answer = tokio::task::spawn_blocking(move || operator::ask(&asking, &artifacts, &images)).await;
            (Question::Operator(question), answer.unwrap_or_else(|error| Answer::Unreadable(error.to_string())))
        });
        join_all(asked).await
    }
}

#[async_trait]
impl Ground for Live {
    async fn ask(&self, questions: Vec<Question>) -> Vec<(Question, Answer)> {
        let (mut hosts, mut api, mut helm, mut outside, mut hairpins, mut operator) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for question in questions {
            match question {
                Question::Host(host, question) => hosts.push((host, question)),
                Question::Api(question) => api.push(question),
                Question::HelmDryRun(host, upgrade) => helm.push((host, upgrade)),
                Question::Outside(question) => outside.push(question),
                Question::Hairpin(host, visit) => hairpins.push((host, visit)),
                Question::Operator(question) => operator.push(question),
            }
        }
        let (heard, kubeconfig) = oneshot::channel();
        let (hosts, api, helm, seen, hairpins, operator) = tokio::join!(
            self.ask_hosts(hosts, heard),
            self.api(api, kubeconfig),
            self.helm(helm),
            self.outside.ask(outside),
            self.hairpins(hairpins),
            self.operator(operator)
        );
        let seen = seen.into_iter().map(|(question, answer)| (Question::Outside(question), answer));
        hosts.into_iter().chain(api).chain(helm).chain(seen).chain(hairpins).chain(operator).collect()
    }

    async fn perform(&self, action: &Action, sent: &(dyn Fn(u64, u64) + Send + Sync)) -> Result<Option<String>, Failure> {
        match action {
            Action::Host(host, action) => {
                let fetched = self.fetched(action, sent).await?;
                self.hosts.remote(host).await?.perform(action, &fetched, sent).await
            }
            Action::Api(action) => self.perform_logged(&action.to_string(), self.perform_api(action)).await.map(|()| None),
            Action::Operator(action) => {
                self.perform_logged(&action.to_string(), operator::perform(action, &self.artifacts, sent)).await.map(|()| None)
            }
        }
    }

    async fn resume(&self, host: &HostId) -> Result<(), Failure> {
        if host == self.hosts.server() {
            // Its socket led through the line that broke.
            *self.cluster.lock().await = None;
        }
        self.hosts.resume(host).await
    }
}

fn is_kubeconfig(question: &HostQuestion) -> bool {
    matches!(question, HostQuestion::Content(path) if path == K3S_KUBECONFIG)
}
