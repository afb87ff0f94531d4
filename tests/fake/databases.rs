//! Servers of databases: each knows one password, by its pod, and the accounts that it would take apart are one.

use bedplate::model::{
    Answer, DatabaseLogin, Failure, NEW_PASSWORD, OLD_PASSWORD, ObjectRef, PasswordRef, REVISION, ROTATION, Reply, RotationAction, Secret,
};

use super::api::{Api, secret};

impl Api {
    pub fn logs_in(&self, login: &DatabaseLogin, password: &PasswordRef) -> Answer {
        let live = self.secrets.get(&(login.namespace.clone(), password.secret.clone()));
        match live.and_then(|live| live.data.get(&password.key)) {
            None => Answer::Unreadable(format!("secret {} has no {}", password.secret, password.key)),
            Some(given) if self.passwords.get(&login.pod) == Some(given) => Answer::Present(Reply::Open),
            Some(_) => Answer::Absent,
        }
    }

    pub fn rotate(&mut self, action: &RotationAction) -> Result<(), Failure> {
        match action {
            RotationAction::Begin { secret: object, database, old } => {
                let new = Secret::new(format!("made-{}", self.tick()));
                let data = [(OLD_PASSWORD.to_owned(), old.clone()), (NEW_PASSWORD.to_owned(), new)].into();
                let made = secret(data, [(ROTATION.to_owned(), database.clone())].into());
                self.secrets.entry(place(object)).or_insert(made);
            }
            RotationAction::Change { login, old, new } => {
                if self.passwords.get(&login.pod) != Some(old) {
                    return Err(Failure::new("change it", "the old password does not log in", ""));
                }
                self.passwords.insert(login.pod.clone(), new.clone());
            }
            RotationAction::Write { secret, resource_version, key, value } => {
                let version = self.tick();
                let live = self.secrets.get_mut(&place(secret)).filter(|live| live.resource_version == *resource_version);
                if let Some(live) = live {
                    live.data.insert(key.clone(), value.clone());
                    live.annotations.insert(REVISION.into(), version.clone());
                    live.resource_version = version;
                }
            }
        }
        Ok(())
    }
}

fn place(object: &ObjectRef) -> (String, String) {
    (object.namespace.clone(), object.name.clone())
}
