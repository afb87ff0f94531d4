//! Logins at databases. In the flow: whether a rotation of a password is half done. On `bedplate rotate database`: the rotation itself
//! (S4-81, S4-111), each phase a state of the cluster.

mod begin;
mod phase;
mod rotation;
mod server;

use crate::inventory::{Database, Inventory};
use crate::model::{ApiQuestion, Finding, Missing, ObjectRef, Plan, Planned, Question, Scope, Step, StepId, View};

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

    fn questions(&self, _: &View<'_>) -> Vec<Question> {
        vec![secret(&self.0.rotation())]
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        let rotation = self.0.rotation();
        if seen.secret(&rotation.namespace, &rotation.name)?.is_none() {
            return Ok(Plan::Converged.into());
        }
        let what = format!("the password of database {} is being changed, and that has not ended: {rotation} is there", self.0.name);
        let cure = format!("`bedplate rotate database {}` goes on with it", self.0.name);
        Ok(Plan::Unmet(vec![Finding::new(what, cure)]).into())
    }
}

fn secret(object: &ObjectRef) -> Question {
    Question::Api(ApiQuestion::Secret { namespace: object.namespace.clone(), name: object.name.clone() })
}
