//! `new-password`: the old password logs in and another does not, so a new one is made and kept beside it, before anything else is touched.

use std::collections::BTreeMap;

use super::secret;
use super::server::{asks, find, open, password, questions};
use crate::inventory::Database;
use crate::model::{
    Action, ApiAction, ApiQuestion, Finding, LiveSecret, MANAGED_BY, Missing, ObjectRef, Plan, Planned, Question, RotationAction, Scope,
    Secret, Step, StepId, View,
};

pub struct Begin(pub Database);

impl Step for Begin {
    fn id(&self) -> StepId {
        StepId::named("new-password", &self.0.name)
    }

    fn scope(&self) -> Scope {
        Scope::Cluster
    }

    fn questions(&self, seen: &View<'_>) -> Vec<Question> {
        let held = self.0.held();
        let mut all = vec![secret(&self.0.rotation()), secret(&held)];
        all.extend(questions(&self.0));
        all.extend(self.0.readers().map(|reader| Question::Api(ApiQuestion::Object(reader))));
        if let (Ok(Some(live)), Ok(Ok(login))) = (seen.secret(&held.namespace, &held.name), find(seen, &self.0))
            && live.data.contains_key(&self.0.key)
        {
            let password = password(&held, &self.0.key);
            all.push(asks(&login, &password));
            // A login that is refused is noise in the server's log: it is tried where a rotation would begin.
            if matches!(seen.logs_in(&login, &password), Ok(true)) {
                all.push(Question::Api(ApiQuestion::AnyPassword(login)));
            }
        }
        all
    }

    fn plan(&self, seen: &View<'_>) -> Result<Planned, Missing> {
        let (rotation, held) = (self.0.rotation(), self.0.held());
        if seen.secret(&rotation.namespace, &rotation.name)?.is_some() {
            return Ok(Plan::Converged.into());
        }
        let Some((live, old)) = seen.secret(&held.namespace, &held.name)?.and_then(|live| Some((live, live.data.get(&self.0.key)?))) else {
            let what = format!("{held} has no key {}", self.0.key);
            return Ok(unmet(what, "correct `secret` and `key` in [[databases]]".into()));
        };
        let finding = match self.hindered(live, old) {
            Some(finding) => Some(finding),
            None => self.reader_lacks(seen)?,
        };
        if let Some(finding) = finding {
            return Ok(Plan::Unmet(vec![finding]).into());
        }
        let login = match find(seen, &self.0)? {
            Ok(login) => login,
            Err(condition) => return Ok(Plan::Wait(condition).into()),
        };
        if !seen.logs_in(&login, &password(&held, &self.0.key))? {
            let what = format!("{} of {held} does not log {} in to {} at {}", self.0.key, login.user, login.kind, login.address);
            let cure = format!("put the password that does into {held}; nothing was changed");
            return Ok(unmet(what, cure));
        }
        // Of such a server it can't be told afterwards which password it has.
        if seen.takes_any_password(&login)? {
            return Ok(Plan::Unmet(vec![open(&login)]).into());
        }
        let begin = RotationAction::Begin { secret: rotation, database: self.0.name.clone(), old: old.clone() };
        Ok(Planned::act(vec![Action::Api(ApiAction::Rotate(begin))], vec![format!("{} of {held} logs in", self.0.key)]))
    }
}

impl Begin {
    /// What would undo the rotation later, or break by it.
    fn hindered(&self, live: &LiveSecret, old: &Secret) -> Option<Finding> {
        let (held, key) = (self.0.held(), &self.0.key);
        if live.labels.get(MANAGED_BY.0).map(String::as_str) == Some("Helm") {
            let what = format!("{held} belongs to a helm chart, which would put the old password back");
            return Some(Finding::new(what, "have the chart read a Secret that it does not write itself"));
        }
        if old.expose().is_empty() || old.expose_str().is_none_or(|text| text.contains(['\n', '\r', '\0'])) {
            return Some(Finding::new(
                format!("{key} of {held} is no password: empty, or more than a line of text"),
                "name the key that holds it",
            ));
        }
        let others: Vec<_> = holding(&live.data, old).filter(|other| other != key).collect();
        if others.is_empty() {
            return None;
        }
        let what = format!("the password stands in {} of {held} too, which would keep the old one", others.join(", "));
        Some(Finding::new(what, format!("let the application put it together from {key}, and take it out there")))
    }

    fn reader_lacks(&self, seen: &View<'_>) -> Result<Option<Finding>, Missing> {
        for reader in self.0.readers() {
            if seen.object(&reader)?.is_none() {
                return Ok(Some(Finding::new(format!("{reader} is absent"), "correct `consumers` in [[databases]]")));
            }
        }
        Ok(None)
    }
}

/// The keys whose values hold a password.
fn holding<'a>(data: &'a BTreeMap<String, Secret>, password: &'a Secret) -> impl Iterator<Item = String> + 'a {
    let (needle, length) = (password.expose(), password.expose().len());
    data.iter().filter(move |(_, value)| value.expose().windows(length).any(|part| part == needle)).map(|(key, _)| key.clone())
}

fn unmet(what: String, cure: String) -> Planned {
    Plan::Unmet(vec![Finding::new(what, cure)]).into()
}

impl Database {
    /// The Secret that the applications read.
    pub(super) fn held(&self) -> ObjectRef {
        ObjectRef::new("v1", "Secret", &self.namespace, &self.secret)
    }
}
