//! A key follows another without a refused token: verifiers learn the next key, then it signs, then, once nothing that the old one signed
//! is valid, they forget that. How far it has come, the Secret tells, so any run goes on where another was ended; only `rotate jwt` begins.
//! A pair that is not split has no place for two public keys: it is switched at once, and what was signed before ends.

mod begin;
mod reader;
mod stage;
mod turn;

use crate::inventory::{Inventory, JwtKeys, ROLLED_OUT};
use crate::model::{
    Action, ApiAction, ApiQuestion, Condition, Finding, LiveSecret, Missing, Note, OperatorQuestion, Plan, Planned, Question, Scope, Step,
    StepId, View,
};

use super::jwt_keys::ring::Ring;
use super::jwt_keys::{self, State};
use super::{moment, secrets};
use reader::{Progress, Reader};
use stage::Stage;

pub use begin::Leave;

struct Rotation {
    keys: JwtKeys,
    leave: Leave,
}

/// One step a `[[jwt_keys]]`: what was begun comes to its end.
pub(super) fn steps(inventory: &Inventory) -> Vec<Box<dyn Step>> {
    inventory.jwt_keys.iter().map(|keys| step(keys, Leave::None)).collect()
}

fn step(keys: &JwtKeys, leave: Leave) -> Box<dyn Step> {
    Box::new(Rotation { keys: keys.clone(), leave })
}

/// The steps that let one pair leave a key.
#[must_use]
pub fn rotate(keys: &JwtKeys, leave: Leave) -> Vec<Box<dyn Step>> {
    let state = if leave == Leave::None { State::Kept } else { State::Leaving };
    vec![jwt_keys::step(keys, state), step(keys, leave)]
}

impl Step for Rotation {
    fn id(&self) -> StepId {
        StepId::named("rotation", format!("{}/{}", self.keys.namespace, self.keys.secret))
    }

    fn scope(&self) -> Scope {
        Scope::Cluster
    }

    fn questions(&self, seen: &View<'_>) -> Vec<Question> {
        let secret = ApiQuestion::Secret { namespace: self.keys.namespace.clone(), name: self.keys.secret.clone() };
        let mut questions = vec![Question::Api(secret), Question::Operator(OperatorQuestion::Clock)];
        if let (Ok(Some(live)), Ok(now)) = (self.live(seen), seen.clock())
            && let Ok(ring) = Ring::of(live)
        {
            let stage = Stage::of(&ring, now);
            questions.extend(self.concerned(stage, &ring).iter().flat_map(Reader::questions));
            questions.extend(matches!(stage, Stage::Held(_)).then_some(moment::QUESTION));
        }
        questions
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        let Some(live) = self.live(seen)? else { return Ok(Plan::Converged.into()) };
        // What is wrong with it, the step says that makes it.
        let Ok(ring) = Ring::of(live) else { return Ok(Plan::Converged.into()) };
        let now = seen.clock()?;
        let stage = Stage::of(&ring, now);
        match stage {
            Stage::Steady => self.begin(live, &ring, seen),
            Stage::Held(until) => {
                let at = moment::told(until, seen);
                let secret = format!("{}/{}", self.keys.namespace, self.keys.secret);
                let what = format!("the old key of {secret} is withdrawn from {at} on, by `bedplate rotate jwt` or `bedplate bootstrap`");
                Ok(Planned::from(Plan::Converged).with_notes(vec![Note::Manual(what)]))
            }
            Stage::Announced | Stage::Switched | Stage::Expired if !jwt_keys::is_ours(live) => Ok(foreign(live)),
            Stage::Announced | Stage::Switched | Stage::Expired => match self.restart(stage, &ring, now, seen)? {
                Some(planned) => Ok(planned),
                None => Ok(self.turn(stage, live, &ring, now)),
            },
        }
    }
}

impl Rotation {
    fn live<'a>(&self, seen: &View<'a>) -> Result<Option<&'a LiveSecret>, Missing> {
        seen.secret(&self.keys.namespace, &self.keys.secret)
    }

    fn signer(&self) -> Option<Reader> {
        let name = self.keys.signer.clone()?;
        Some(Reader { namespace: self.keys.namespace.clone(), name })
    }

    fn verifiers(&self) -> impl Iterator<Item = Reader> {
        self.keys.readers().map(|(namespace, name)| Reader { namespace: namespace.into(), name: name.into() })
    }

    /// Who must be restarted at a stage before it can pass, and what these read: in whole, by the keys that they must know.
    fn concerned(&self, stage: Stage, ring: &Ring) -> Vec<Reader> {
        let all = || self.signer().into_iter().chain(self.verifiers());
        match (stage, &self.keys.public) {
            (Stage::Steady, _) if self.leave.means(&ring.signing) => all().collect(),
            (Stage::Steady | Stage::Held(_), _) | (Stage::Announced, None) => Vec::new(),
            (Stage::Announced | Stage::Expired, Some(_)) => self.verifiers().collect(),
            (Stage::Switched, Some(_)) => self.signer().into_iter().collect(),
            (Stage::Switched | Stage::Expired, None) => all().collect(),
        }
    }

    /// Restarts those that read what was before, then waits for their pods; none: all read what is there now.
    fn restart(&self, stage: Stage, ring: &Ring, now: i64, seen: &View<'_>) -> Result<Option<Planned>, Missing> {
        let (reads, revision) = match (&self.keys.public, stage) {
            (Some(public), Stage::Announced | Stage::Expired) => (public, ring.revision(now)),
            _ => (&self.keys.secret, ring.signing.public.kid()),
        };
        let (mut actions, mut reasons, mut rolling) = (Vec::new(), Vec::new(), None);
        for reader in self.concerned(stage, ring) {
            match reader.progress(reads, &revision, seen)? {
                Progress::Absent => return Ok(Some(absent(&reader))),
                Progress::Untold(restart) => {
                    reasons.push(format!("{} reads the keys that were before in {reads}", restart.workload));
                    actions.push(Action::Api(ApiAction::Restart(restart)));
                }
                Progress::Rolling(workload, missing) => rolling = Some((workload, missing)),
                Progress::Done => {}
            }
        }
        if !actions.is_empty() {
            return Ok(Some(Planned::act(actions, reasons)));
        }
        let waiting = rolling.map(|(workload, missing)| {
            let (namespace, kind, name) = (&workload.namespace, workload.kind.to_lowercase(), &workload.name);
            let cure = format!("kubectl -n {namespace} describe {kind} {name}; then run again, which goes on from here");
            Plan::Wait(Condition { what: format!("{workload} is rolled out"), seen: missing, cure, within: ROLLED_OUT }).into()
        });
        Ok(waiting)
    }
}

/// Nothing is written into a Secret that nobody gave us.
fn foreign(live: &LiveSecret) -> Planned {
    Plan::Unmet(vec![secrets::foreign(live, "`bedplate bootstrap --adopt` takes it over; then rotate".into())]).into()
}

fn absent(reader: &Reader) -> Planned {
    let Reader { namespace, name } = reader;
    let what = format!("there is no Deployment, StatefulSet or DaemonSet {name} in namespace {namespace}, which must be restarted");
    Plan::Unmet(vec![Finding::new(what, "correct `signer` and `verifiers` in [[jwt_keys]], or install what brings it")]).into()
}
