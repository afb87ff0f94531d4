//! Hosts, an API server and a CA of make-believe: for golden cases and crash loops, never the proof. `fake_agrees` on the rig holds them
//! against the real ones.

mod api;
mod controllers;
mod databases;
mod helm;
mod host;
mod join;
mod keys;
mod operator;
mod tls;
mod visit;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Mutex;

use async_trait::async_trait;
use bedplate::engine::Ground;
use bedplate::inventory::Inventory;
use bedplate::model::{Action, Answer, Exit, Failure, HostId, HostQuestion, OutsideQuestion, Question, Reply};

use api::Api;
use host::Host;
use operator::Operator;

/// Everything there is.
#[derive(Default)]
pub struct Fake {
    world: Mutex<World>,
}

/// What happens to the run at an action.
#[derive(PartialEq, Eq)]
pub enum Fate {
    /// It performs it.
    Lives,
    /// It is killed before, or in the middle.
    Dies,
    /// It performs it, and never hears of it: the line is cut.
    Cut,
}

/// Looks at an action before it is performed, and may leave half of it behind.
pub type Reaper = Box<dyn FnMut(&mut World, &Action) -> Fate + Send>;

#[derive(Default)]
pub struct World {
    pub hosts: BTreeMap<HostId, Host>,
    pub api: Api,
    pub operator: Operator,
    /// Actions performed, in order.
    pub journal: Vec<Action>,
    /// Without one, every run lives.
    pub reaper: Option<Reaper>,
}

impl Fake {
    pub fn with<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        look(&mut self.world.lock().unwrap())
    }
}

impl From<World> for Fake {
    fn from(world: World) -> Self {
        Self { world: Mutex::new(world) }
    }
}

#[async_trait]
impl Ground for Fake {
    async fn ask(&self, questions: Vec<Question>) -> Vec<(Question, Answer)> {
        self.with(|world| questions.into_iter().map(|question| (question.clone(), world.answer(&question))).collect())
    }

    async fn perform(&self, action: &Action, _sent: &(dyn Fn(u64, u64) + Send + Sync)) -> Result<Option<String>, Failure> {
        self.with(|world| {
            let mut fate = Fate::Lives;
            if let Some(mut reaper) = world.reaper.take() {
                fate = reaper(world, action);
                world.reaper = Some(reaper);
            }
            if fate == Fate::Dies {
                return Err(Failure::new("go on", "killed", ""));
            }
            world.journal.push(action.clone());
            world.perform(action)?;
            if fate == Fate::Cut { Err(Failure::new("go on", "the line broke", "").exiting(Exit::Unreachable)) } else { Ok(None) }
        })
    }

    async fn resume(&self, _: &HostId) -> Result<(), Failure> {
        Ok(())
    }
}

/// Another world like it, without its reaper.
impl Clone for World {
    fn clone(&self) -> Self {
        let Self { hosts, api, operator, journal, reaper: _ } = self;
        Self { hosts: hosts.clone(), api: api.clone(), operator: operator.clone(), journal: journal.clone(), reaper: None }
    }
}

impl World {
    /// The hosts of an inventory, bare, and an application that is as the inventory says.
    pub fn of(inventory: &Inventory) -> Self {
        Self {
            hosts: inventory.hosts.iter().map(|host| (HostId(host.name.clone()), Host::of(host))).collect(),
            api: Api::of(inventory),
            operator: Operator::of(inventory),
            ..Self::default()
        }
    }

    /// A host that nobody knows yet is a bare one.
    pub fn host(&mut self, id: &HostId) -> &mut Host {
        self.hosts.entry(id.clone()).or_default()
    }

    /// Whether some host runs an API server.
    pub fn serves(&self) -> bool {
        self.hosts.values().any(Host::serves)
    }

    fn answer(&mut self, question: &Question) -> Answer {
        match question {
            Question::Host(_, HostQuestion::Get { url, address }) => self.api.visited(&OutsideQuestion::get(url, *address)),
            Question::Host(id, question) => self.host(id).answer(question),
            Question::HelmDryRun(..) | Question::Api(_) if !self.serves() => Answer::Unreadable("k3s does not run".into()),
            Question::Api(question) => self.api.answer(question),
            Question::HelmDryRun(_, upgrade) => Answer::Present(Reply::Objects(self.api.rendered(upgrade))),
            Question::Outside(OutsideQuestion::Knock { address, port }) if self.shut(*address, *port) => Answer::Absent,
            Question::Outside(question) => self.api.visited(question),
            Question::Hairpin(_, visit) => self.api.visited(&OutsideQuestion::Visit(visit.clone())),
            Question::Operator(question) => self.operator.answer(question),
        }
    }

    /// Whether the rules of the host with that address close that port.
    fn shut(&self, address: IpAddr, port: u16) -> bool {
        let host = self.hosts.values().find(|host| host.facts.addresses.contains(&address));
        host.and_then(|host| host.rules.as_deref()).is_some_and(|rules| {
            let rules = String::from_utf8_lossy(rules);
            let open = rules.lines().find_map(|line| line.trim().strip_prefix("tcp dport { ")).unwrap_or_default();
            !open.split([',', ' ']).any(|open| open == port.to_string())
        })
    }

    pub fn perform(&mut self, action: &Action) -> Result<(), Failure> {
        match action {
            Action::Host(id, action) => {
                let served = self.serves();
                let host = self.hosts.entry(id.clone()).or_default();
                host.perform(action, &mut self.api)?;
                if !served && self.serves() {
                    self.api.start();
                }
                self.join(id);
            }
            Action::Api(_) if !self.serves() => return Err(Failure::new("reach the API", "k3s does not run", "")),
            Action::Api(action) => self.api.perform(action)?,
            Action::Operator(action) => self.operator.perform(action),
        }
        self.api.reconcile();
        Ok(())
    }
}
