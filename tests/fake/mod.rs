//! A host, an API server and a CA of make-believe: for golden cases and crash loops, never the proof. `fake_agrees` on the rig holds it
//! against the real ones.

mod api;
mod host;
mod tls;

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use bedplate::engine::Ground;
use bedplate::model::{
    Action, Answer, ArtifactRef, ChartFacts, Failure, HostId, ImageArchive, OperatorAction, OperatorQuestion, OutsideQuestion, Pin, Question,
    Reply, Secret,
};

/// Everything there is.
#[derive(Default)]
pub struct Fake {
    world: Mutex<World>,
}

#[derive(Default)]
pub struct World {
    pub host: host::Host,
    pub api: api::Api,
    pub kubeconfig: Option<Secret>,
    pub pins: Vec<Pin>,
    /// Actions performed, in order.
    pub journal: Vec<String>,
    /// Die when this many more actions were performed; `None`: live.
    pub fuel: Option<usize>,
}

impl Fake {
    pub fn with<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        look(&mut self.world.lock().unwrap())
    }
}

#[async_trait]
impl Ground for Fake {
    async fn ask(&self, questions: Vec<Question>) -> Vec<(Question, Answer)> {
        self.with(|world| questions.into_iter().map(|question| (question.clone(), world.answer(&question))).collect())
    }

    async fn perform(&self, action: &Action, _sent: &(dyn Fn(u64, u64) + Send + Sync)) -> Result<(), Failure> {
        self.with(|world| {
            if let Some(fuel) = &mut world.fuel {
                if *fuel == 0 {
                    return Err(Failure::new("go on", "killed", ""));
                }
                *fuel -= 1;
            }
            world.journal.push(action.to_string());
            world.perform(action)
        })
    }

    async fn resume(&self, _: &HostId) -> Result<(), Failure> {
        Ok(())
    }
}

impl World {
    fn answer(&mut self, question: &Question) -> Answer {
        match question {
            Question::Host(_, question) => self.host.answer(question),
            Question::Api(_) if !self.host.serves() => Answer::Unreadable("k3s does not run".into()),
            Question::Api(question) => self.api.answer(question),
            Question::Outside(question) => self.outside(question),
            Question::Operator(question) => self.operator(question),
        }
    }

    fn outside(&self, question: &OutsideQuestion) -> Answer {
        match question {
            OutsideQuestion::Dns { kind, .. } => host::dns(*kind),
            OutsideQuestion::Served { name, .. } => self.api.served(name),
            OutsideQuestion::Get { url, .. } => self.api.get(url),
        }
    }

    fn operator(&self, question: &OperatorQuestion) -> Answer {
        let there = Answer::Present;
        match question {
            OperatorQuestion::Kubeconfig(_) => self.kubeconfig.clone().map_or(Answer::Absent, |text| there(Reply::Bytes(text))),
            OperatorQuestion::File(path) => there(Reply::Bytes(Secret::new(format!("file {}", path.display())))),
            OperatorQuestion::Clock => there(Reply::Seconds(tls::now())),
            OperatorQuestion::Archive(path) => {
                let name = path.file_stem().unwrap().to_string_lossy().into_owned();
                let names = vec![format!("docker.io/shop/{name}:1")];
                there(Reply::Archive(ImageArchive { names, id: format!("sha256:{name}"), size: 1000 }))
            }
            OperatorQuestion::Chart(_) => {
                there(Reply::Chart(ChartFacts { name: "shop".into(), version: "1.0.0".into(), digest: "c".repeat(40) }))
            }
            OperatorQuestion::Values(_) => there(Reply::Object(serde_json::json!({ "hosts": ["shop.example"] }))),
            OperatorQuestion::EnvFile(_) => there(Reply::Env(env())),
            OperatorQuestion::Pin(artifact) => {
                self.pins.iter().find(|pin| pin.artifact == *artifact).map_or(Answer::Absent, |pin| there(Reply::Pin(pin.clone())))
            }
        }
    }

    fn perform(&mut self, action: &Action) -> Result<(), Failure> {
        match action {
            Action::Host(_, action) => {
                let served = self.host.serves();
                self.host.perform(action, &mut self.api)?;
                if !served && self.host.serves() {
                    self.api.start();
                }
            }
            Action::Api(_) if !self.host.serves() => return Err(Failure::new("reach the API", "k3s does not run", "")),
            Action::Api(action) => self.api.perform(action)?,
            Action::Operator(OperatorAction::Learn(artifact)) => self.pins.push(pin(artifact)),
            Action::Operator(OperatorAction::MergeKubeconfig(merge)) => self.kubeconfig = Some(merge.content.clone()),
        }
        Ok(())
    }
}

/// The seven keys of the example, and two that must stay out.
fn env() -> BTreeMap<String, Secret> {
    ["GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET", "RESEND_API_KEY", "EMAIL_FROM", "ADMIN_EMAILS", "DATABASE_URL", "POSTGRES_PASSWORD"]
        .map(|key| (key.to_owned(), Secret::new(format!("value of {key}"))))
        .into()
}

fn pin(artifact: &ArtifactRef) -> Pin {
    Pin {
        artifact: artifact.clone(),
        url: format!("https://mirror.example/{}", artifact.name),
        size: 1000,
        sha256: host::digest_of(&artifact.to_string()),
        learnt: "by the fake".into(),
        at: "2026-01-01T00:00:00Z".into(),
    }
}
