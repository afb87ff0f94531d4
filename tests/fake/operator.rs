//! The operator's machine of make-believe: charts, archives, `.env` files, pins and a kubeconfig.

use std::collections::BTreeMap;

use bedplate::inventory::Inventory;
use bedplate::model::{Answer, ArtifactRef, ChartFacts, ImageArchive, ImageSource, OperatorAction, OperatorQuestion, Pin, Reply, Secret};

use super::{host, tls};

#[derive(Clone, Default)]
pub struct Operator {
    pub kubeconfig: Option<Secret>,
    pub pins: Vec<Pin>,
    /// Keys that the `.env` has beside those of the example.
    keys: Vec<String>,
}

/// The seven keys of the example, and two that must stay out.
const ENV: [&str; 7] =
    ["GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET", "RESEND_API_KEY", "EMAIL_FROM", "ADMIN_EMAILS", "DATABASE_URL", "POSTGRES_PASSWORD"];

impl Operator {
    pub fn of(inventory: &Inventory) -> Self {
        Self { keys: inventory.secrets.iter().flat_map(|secret| secret.allow.iter().cloned()).collect(), ..Self::default() }
    }

    pub fn answer(&self, question: &OperatorQuestion) -> Answer {
        let there = Answer::Present;
        match question {
            OperatorQuestion::Kubeconfig(_) => self.kubeconfig.clone().map_or(Answer::Absent, |text| there(Reply::Bytes(text))),
            OperatorQuestion::File(path) => there(Reply::Bytes(Secret::new(format!("file {}", path.display())))),
            OperatorQuestion::Clock => there(Reply::Seconds(tls::now())),
            OperatorQuestion::Zone => there(Reply::Text("UTC".into())),
            OperatorQuestion::Image(source, _) => {
                let ImageSource::Archive(path) = source else { panic!("the fake operator has no {source}") };
                let name = path.file_stem().unwrap().to_string_lossy().into_owned();
                let names = ["1", "latest"].map(|tag| format!("docker.io/shop/{name}:{tag}")).into();
                there(Reply::Archive(ImageArchive { names, id: format!("sha256:{name}"), size: 1000, blobs: Vec::new() }))
            }
            OperatorQuestion::Chart(_) => {
                there(Reply::Chart(ChartFacts { name: "shop".into(), version: "1.0.0".into(), digest: "c".repeat(40) }))
            }
            OperatorQuestion::Values(_) => there(Reply::Object(serde_json::json!({ "hosts": ["shop.example"] }))),
            OperatorQuestion::EnvFiles(_) => there(Reply::Env(self.env())),
            OperatorQuestion::Output(program) => there(Reply::Bytes(Secret::new(format!("output of {program}")))),
            OperatorQuestion::Pin(artifact) => {
                self.pins.iter().find(|pin| pin.artifact == *artifact).map_or(Answer::Absent, |pin| there(Reply::Pin(pin.clone())))
            }
        }
    }

    fn env(&self) -> BTreeMap<String, Secret> {
        let keys = ENV.iter().copied().chain(self.keys.iter().map(String::as_str));
        keys.map(|key| (key.to_owned(), Secret::new(format!("value of {key}")))).collect()
    }

    pub fn perform(&mut self, action: &OperatorAction) {
        match action {
            OperatorAction::Learn(artifact) => self.pins.push(pin(artifact)),
            OperatorAction::MergeKubeconfig(merge) => self.kubeconfig = Some(merge.content.clone()),
        }
    }
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
