//! Logins at databases. In the flow: whether each password logs in, and no rotation is half done. On `bedplate rotate database`: the rotation itself, each
//! phase a state of the cluster.

mod begin;
mod phase;
mod rotation;
mod server;

use crate::inventory::{Database, Inventory};
use crate::model::{ApiQuestion, DatabaseLogin, Finding, Missing, ObjectRef, Plan, Planned, Question, Scope, Step, StepId, View};

struct Login(Database);

/// One step a `[[databases]]`.
pub(super) fn steps(inventory: &Inventory) -> Vec<Box<dyn Step>> {
    inventory.databases.iter().map(|database| Box::new(Login(database.clone())) as Box<dyn Step>).collect()
}

/// What rotates a database's password, one after the other: the first is converged once a rotation goes on, the second once none does.
#[must_use]
pub fn rotate_database(database: &Database) -> [Box<dyn Step>; 2] {
    [Box::new(begin::Begin(database.clone())), Box::new(rotation::Rotation(database.clone()))]
}

impl Step for Login {
    fn id(&self) -> StepId {
        StepId::named("database", &self.0.name)
    }

    fn scope(&self) -> Scope {
        Scope::Cluster
    }

    fn questions(&self, seen: &View<'_>) -> Vec<Question> {
        let (rotation, held) = (self.0.rotation(), self.0.held());
        let mut all = vec![secret(&rotation), secret(&held)];
        all.extend(server::questions(&self.0));
        // A login that is refused is noise in the server's log: while a rotation goes on there is one that must be.
        if let (Ok(None), Ok(Some(live)), Ok(Ok(login))) =
            (seen.secret(&rotation.namespace, &rotation.name), seen.secret(&held.namespace, &held.name), server::find(seen, &self.0))
            && live.data.contains_key(&self.0.key)
        {
            all.push(server::asks(&login, &server::password(&held, &self.0.key)));
        }
        all
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        let rotation = self.0.rotation();
        if seen.secret(&rotation.namespace, &rotation.name)?.is_none() {
            return self.logs_in(seen);
        }
        let what = format!("the password of database {} is being changed, and that has not ended: {rotation} is there", self.0.name);
        let cure = format!("`bedplate rotate database {}` goes on with it", self.0.name);
        Ok(Plan::Unmet(vec![Finding::new(what, cure)]).into())
    }
}

impl Login {
    fn logs_in(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        let (held, key) = (self.0.held(), &self.0.key);
        if seen.secret(&held.namespace, &held.name)?.is_none_or(|live| !live.data.contains_key(key)) {
            let what = format!("{held} has no key {key}");
            return Ok(Plan::Unmet(vec![Finding::new(what, "correct `secret` and `key` in [[databases]]")]).into());
        }
        let login = match server::find(seen, &self.0)? {
            Ok(login) => login,
            Err(condition) => return Ok(Plan::Wait(condition).into()),
        };
        if seen.logs_in(&login, &server::password(&held, key))? {
            return Ok(Plan::Converged.into());
        }
        let DatabaseLogin { user, kind, address, .. } = &login;
        let what = format!("{key} of {held} does not log {user} in to {kind} at {address}");
        Ok(Plan::Unmet(vec![Finding::new(what, format!("put the password that does into {held}"))]).into())
    }
}

fn secret(object: &ObjectRef) -> Question {
    Question::Api(ApiQuestion::Secret { namespace: object.namespace.clone(), name: object.name.clone() })
}
