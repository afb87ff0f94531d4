//! Both worlds, and what differs between them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use bedplate::engine::{Ground, Live};
use bedplate::model::{Action, Answer, ApiAction, ApiQuestion, Failure, HostAction, HostId, HostQuestion, Question, Reply};

use crate::fake::Fake;
use crate::plain::plain;

/// For systemd to end a job, and for the API server to empty a namespace.
const SETTLE: Duration = Duration::from_secs(60);
/// Between two looks at what has not settled.
const PAUSE: Duration = Duration::from_millis(250);
/// Stands for the live `resourceVersion` in a `SecretSpec`: each world has its own.
pub const LIVE: &str = "live";

/// The fake and the real world.
pub struct Twins<'a> {
    /// For what must be there before the first action.
    pub fake: Fake,
    live: &'a Live,
    /// On both.
    pub server: HostId,
    /// Each world's last answers, the fake's first.
    before: [BTreeMap<Question, Answer>; 2],
    /// Performed so far, on both.
    pub actions: usize,
    /// Compared so far.
    pub answers: usize,
    /// Found so far: each is told once, though it may last.
    pub differences: BTreeSet<String>,
}

impl<'a> Twins<'a> {
    pub fn new(live: &'a Live, server: HostId) -> Self {
        let before = [BTreeMap::new(), BTreeMap::new()];
        Self { fake: Fake::default(), live, server, before, actions: 0, answers: 0, differences: BTreeSet::new() }
    }

    pub fn act(&self, action: HostAction) -> Action {
        Action::Host(self.server.clone(), action)
    }

    pub fn ask(&self, question: HostQuestion) -> Question {
        Question::Host(self.server.clone(), question)
    }

    /// Performs on both and compares how that ended, then what both answer.
    pub async fn perform(&mut self, action: &Action, questions: &[Question]) -> Result<(), Failure> {
        let mut ends = Vec::new();
        for world in 0..2 {
            let end = self.ground(world).perform(&self.own(world, action), &|_, _| {}).await;
            // Why it was refused is each world's own wording.
            ends.push(end.map_err(|failure| failure.seen));
        }
        if ends[0].is_ok() != ends[1].is_ok() {
            self.differ(&action.to_string(), "how it ended", &format!("{:?}", ends[0]), &format!("{:?}", ends[1]));
        }
        self.actions += 1;
        self.compare(&action.to_string(), questions).await
    }

    /// Asks both and compares; `after` says when.
    pub async fn compare(&mut self, after: &str, questions: &[Question]) -> Result<(), Failure> {
        let answers = [self.answered(0, questions).await?, self.answered(1, questions).await?];
        for question in questions {
            let said = |world: usize| plain(question, answers[world].get(question), self.before[world].get(question));
            let (fake, real) = (said(0), said(1));
            self.answers += 1;
            if fake != real {
                self.differ(after, &named(question), &fake, &real);
            }
        }
        self.before = answers;
        Ok(())
    }

    /// What one world says once nothing is under way there.
    async fn answered(&self, world: usize, questions: &[Question]) -> Result<BTreeMap<Question, Answer>, Failure> {
        let until = Instant::now() + SETTLE;
        loop {
            let answers: BTreeMap<_, _> = self.ground(world).ask(questions.to_vec()).await.into_iter().collect();
            if answers.values().all(settled) || Instant::now() > until {
                return Ok(answers);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn ground(&self, world: usize) -> &dyn Ground {
        if world == 0 { &self.fake } else { self.live }
    }

    /// The action with that world's own `resourceVersion`.
    fn own(&self, world: usize, action: &Action) -> Action {
        let mut action = action.clone();
        let planned = match &mut action {
            Action::Api(ApiAction::PutSecret(spec)) => Some((&spec.namespace, &spec.name, &mut spec.resource_version)),
            Action::Api(ApiAction::CreateCertificate(spec)) => Some((&spec.namespace, &spec.name, &mut spec.resource_version)),
            _ => None,
        };
        if let Some((namespace, name, version)) = planned.filter(|(.., version)| version.as_deref() == Some(LIVE)) {
            let question = ApiQuestion::Secret { namespace: namespace.clone(), name: name.clone() };
            *version = match self.before[world].get(&Question::Api(question)) {
                Some(Answer::Present(Reply::Secret(live))) => Some(live.resource_version.clone()),
                _ => None,
            };
        }
        action
    }

    fn differ(&mut self, after: &str, what: &str, fake: &str, real: &str) {
        let difference = format!("{what}\n  fake: {fake}\n  real: {real}");
        if self.differences.insert(difference.clone()) {
            println!("after {after}: {difference}");
        }
    }
}

fn named(question: &Question) -> String {
    match question {
        Question::Host(_, question) => format!("{question:?}"),
        Question::Api(ApiQuestion::Object(object)) => object.to_string(),
        Question::Api(ApiQuestion::DryRun(manifest)) => format!("dry run of {}", manifest.body()),
        other => format!("{other:?}"),
    }
}

fn settled(answer: &Answer) -> bool {
    match answer {
        Answer::Present(Reply::Unit(unit)) => !unit.job && !matches!(unit.active.as_str(), "activating" | "deactivating"),
        Answer::Present(Reply::Object(object)) => object.pointer("/metadata/deletionTimestamp").is_none(),
        _ => true,
    }
}
