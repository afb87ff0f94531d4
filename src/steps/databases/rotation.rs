//! `password`: goes on with the rotation that its Secret tells of, a phase at a time, until that Secret is gone.

use super::phase::{Held, LetIn, Phase, Stuck, next};
use super::secret;
use super::server::{PATIENCE, asks, find, open, password, questions};
use crate::inventory::Database;
use crate::model::{
    Action, ApiAction, ApiQuestion, Condition, DatabaseLogin, Finding, LiveSecret, Missing, NEW_PASSWORD, OLD_PASSWORD, ObjectRef, Plan,
    Planned, Question, REVISION, ROTATION, Restart, RotationAction, Scope, Secret, Step, StepId, View,
};
use crate::steps::rollout;

pub struct Rotation(pub Database);

/// Both passwords, and what the applications' Secret holds.
struct Passwords<'a> {
    old: &'a Secret,
    new: &'a Secret,
    live: &'a LiveSecret,
    held: Held,
}

impl Step for Rotation {
    fn id(&self) -> StepId {
        StepId::named("password", &self.0.name)
    }

    fn scope(&self) -> Scope {
        Scope::Cluster
    }

    fn questions(&self, seen: &View<'_>) -> Vec<Question> {
        let rotation = self.0.rotation();
        let mut all = vec![secret(&rotation), secret(&self.0.held())];
        all.extend(questions(&self.0));
        all.extend(self.0.readers().map(|reader| Question::Api(ApiQuestion::Object(reader))));
        if let (Ok(Ok(Some(passwords))), Ok(Ok(login))) = (self.passwords(seen), find(seen, &self.0))
            // A login that is refused is noise in the server's log, and consumers take their time.
            && !matches!(self.waiting(seen, &passwords), Ok(Some(_)))
        {
            all.extend([OLD_PASSWORD, NEW_PASSWORD].map(|key| asks(&login, &password(&rotation, key))));
        }
        all
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        let passwords = match self.passwords(seen)? {
            Ok(Some(passwords)) => passwords,
            Ok(None) => return Ok(Plan::Converged.into()),
            Err(finding) => return Ok(Plan::Unmet(vec![finding]).into()),
        };
        if let Some(condition) = self.waiting(seen, &passwords)? {
            return Ok(Plan::Wait(condition).into());
        }
        let login = match find(seen, &self.0)? {
            Ok(login) => login,
            Err(condition) => return Ok(Plan::Wait(condition).into()),
        };
        let rotation = self.0.rotation();
        let logs_in = |key| seen.logs_in(&login, &password(&rotation, key));
        let let_in = LetIn::of(logs_in(OLD_PASSWORD)?, logs_in(NEW_PASSWORD)?);
        Ok(match next(passwords.held, let_in) {
            Phase::Change => {
                let change = RotationAction::Change { login, old: passwords.old.clone(), new: passwords.new.clone() };
                acting([ApiAction::Rotate(change)], "the old password logs in, the new one does not yet")
            }
            Phase::Write => acting([self.write(&passwords)], "the new password logs in, and the applications have the old one"),
            Phase::HandOver => {
                let restarts: Vec<_> = self.untold(seen, &passwords)?.into_iter().map(ApiAction::Restart).collect();
                if restarts.is_empty() {
                    acting([ApiAction::Delete(rotation)], "everybody has the new password, and the old one logs nobody in")
                } else {
                    acting(restarts, "they have the old password since they started")
                }
            }
            Phase::Stuck(stuck) => Plan::Unmet(vec![self.stuck(stuck, &login)]).into(),
        })
    }
}

fn acting(actions: impl IntoIterator<Item = ApiAction>, reason: &str) -> Planned {
    Planned::act(actions.into_iter().map(Action::Api).collect(), vec![reason.to_owned()])
}

impl Rotation {
    /// None: no rotation goes on.
    fn passwords<'a>(&self, seen: &View<'a>) -> Result<Result<Option<Passwords<'a>>, Finding>, Missing> {
        let (rotation, held) = (self.0.rotation(), self.0.held());
        let Some(both) = seen.secret(&rotation.namespace, &rotation.name)? else { return Ok(Ok(None)) };
        let own = both.annotations.get(ROTATION) == Some(&self.0.name);
        let (true, Some(old), Some(new)) = (own, both.data.get(OLD_PASSWORD), both.data.get(NEW_PASSWORD)) else {
            let what = format!("{rotation} is not as a rotation makes it: {OLD_PASSWORD}, {NEW_PASSWORD} and the annotation {ROTATION}");
            return Ok(Err(Finding::new(what, "put back what was taken out of it; if it is of something else, rename the database")));
        };
        let Some(live) = seen.secret(&held.namespace, &held.name)? else {
            let cure = format!("make it again, with {} out of {rotation}", self.0.key);
            return Ok(Err(Finding::new(format!("{held} is gone"), cure)));
        };
        let held = match live.data.get(&self.0.key) {
            Some(value) if value == old => Held::Old,
            Some(value) if value == new => Held::New,
            _ => Held::Other,
        };
        Ok(Ok(Some(Passwords { old, new, live, held })))
    }

    fn write(&self, passwords: &Passwords<'_>) -> ApiAction {
        ApiAction::Rotate(RotationAction::Write {
            secret: self.0.held(),
            resource_version: passwords.live.resource_version.clone(),
            key: self.0.key.clone(),
            value: passwords.new.clone(),
        })
    }

    fn restart(&self, workload: ObjectRef, live: &LiveSecret) -> Restart {
        // A Secret that others wrote bears none: it is told by its version then.
        let revision = live.annotations.get(REVISION).unwrap_or(&live.resource_version);
        Restart { workload, reads: self.0.secret.clone(), revision: revision.clone() }
    }

    /// The consumers that were not told yet.
    fn untold(&self, seen: &View<'_>, passwords: &Passwords<'_>) -> Result<Vec<Restart>, Missing> {
        let mut untold = Vec::new();
        for reader in self.0.readers() {
            let restart = self.restart(reader, passwords.live);
            if !seen.object(&restart.workload)?.is_some_and(|live| restart.is_told(live)) {
                untold.push(restart);
            }
        }
        Ok(untold)
    }

    /// The first of the consumers that were all told and are not all there yet.
    fn waiting(&self, seen: &View<'_>, passwords: &Passwords<'_>) -> Result<Option<Condition>, Missing> {
        if passwords.held != Held::New || !self.untold(seen, passwords)?.is_empty() {
            return Ok(None);
        }
        for reader in self.0.readers() {
            if let Some(unfinished) = seen.object(&reader)?.and_then(rollout::unfinished) {
                return Ok(Some(Condition {
                    what: format!("{reader} runs with the new password"),
                    seen: unfinished,
                    cure: format!(
                        "kubectl -n {0} describe {1} {2}; then run again",
                        reader.namespace,
                        reader.kind.to_lowercase(),
                        reader.name
                    ),
                    within: PATIENCE,
                }));
            }
        }
        Ok(None)
    }

    /// What is said ends in no loss: the rotation's Secret may hold the only copy of the password that logs in.
    fn stuck(&self, stuck: Stuck, login: &DatabaseLogin) -> Finding {
        let (rotation, held, key) = (self.0.rotation(), self.0.held(), &self.0.key);
        match stuck {
            Stuck::Open => open(login),
            Stuck::Shut => Finding::new(
                format!("{} at {} lets {} in with neither the old nor the new password", login.kind, login.address, login.user),
                format!(
                    "set it in the server to {NEW_PASSWORD} of {rotation} and run again; \
                     or, if {key} of {held} logs in by now, end it: kubectl -n {} delete secret {}",
                    rotation.namespace, rotation.name
                ),
            ),
            Stuck::Foreign => Finding::new(
                format!("{key} of {held} is neither the old nor the new password: somebody else wrote it"),
                format!("put {OLD_PASSWORD} of {rotation} there and run again"),
            ),
        }
    }
}
