//! Logins at databases, tried and changed by the servers' own clients in their pods.

mod mariadb;
mod postgres;

use ::kube::api::PostParams;
use ::kube::core::Request;
use rand::distr::{Alphanumeric, SampleString};
use serde_json::{Value, json};

use crate::model::{
    DatabaseKind, DatabaseLogin, Failure, NEW_PASSWORD, OLD_PASSWORD, ObjectRef, PasswordRef, REVISION, ROTATION, RotationAction, Secret,
};

use super::exec::{Ended, Place};
use super::read::secrets_in;
use super::refusal::{failure, status, told_of_secret};
use super::secret_patch::{encoded, put_key};
use super::{Cluster, MANAGER};

/// Letters and digits of a new password: 190 bits.
const LENGTH: usize = 32;
/// Of what a client says in its errors, so much is passed on.
const SHOWN: usize = 300;

impl Cluster {
    /// Whether the password that lies there is let in.
    ///
    /// # Errors
    /// In words why that can't be told.
    pub(super) async fn logs_in(&self, login: &DatabaseLogin, password: &PasswordRef) -> Result<bool, String> {
        let PasswordRef { secret, key } = password;
        let live = self.secret(&login.namespace, secret).await?;
        let lacks = || format!("secret {}/{secret} has no {key}", login.namespace);
        let password = live.as_ref().and_then(|live| live.data.get(key)).ok_or_else(lacks)?;
        self.lets_in(login, password).await
    }

    /// Whether a password that was made up a moment ago is let in.
    ///
    /// # Errors
    /// In words why that can't be told.
    pub(super) async fn takes_any_password(&self, login: &DatabaseLogin) -> Result<bool, String> {
        self.lets_in(login, &made_up()).await
    }

    async fn lets_in(&self, login: &DatabaseLogin, password: &Secret) -> Result<bool, String> {
        let ended = self.client(login, password, "").await?;
        let refused = match login.kind {
            DatabaseKind::Postgres => postgres::refused(&ended.errors),
            DatabaseKind::Mariadb => mariadb::refused(&ended.errors),
        };
        match ended.code {
            0 => Ok(true),
            _ if refused => Ok(false),
            code => Err(said(login, code, &ended.errors, &[password])),
        }
    }

    /// Performs a part of a rotation.
    pub(super) async fn rotate(&self, action: &RotationAction) -> Result<(), Failure> {
        match action {
            RotationAction::Begin { secret, database, old } => self.begin(secret, database, old).await,
            RotationAction::Change { login, old, new } => self.change(login, old, new).await.map_err(|seen| {
                let cure = "cure what it says, then run again: neither the Secret nor a consumer was touched";
                Failure::new(action.to_string(), seen, cure)
            }),
            RotationAction::Write { secret, resource_version, key, value } => self.write_key(secret, resource_version, key, value).await,
        }
    }

    async fn change(&self, login: &DatabaseLogin, old: &Secret, new: &Secret) -> Result<(), String> {
        let statements = match login.kind {
            DatabaseKind::Postgres => postgres::change(new),
            DatabaseKind::Mariadb => {
                let told = self.client(login, old, mariadb::ACCOUNTS).await?;
                match told.code {
                    0 => mariadb::change(&told.output, new)?,
                    code => return Err(said(login, code, &told.errors, &[old, new])),
                }
            }
        };
        let ended = self.client(login, old, &statements).await?;
        if ended.code == 0 { Ok(()) } else { Err(said(login, ended.code, &ended.errors, &[old, new])) }
    }

    /// Runs the client, logged in with this password.
    async fn client(&self, login: &DatabaseLogin, password: &Secret, statements: &str) -> Result<Ended, String> {
        let line =
            password.expose_str().filter(|text| !text.contains(['\n', '\r', '\0'])).ok_or("the password is more than a line of text")?;
        let (command, input) = match login.kind {
            DatabaseKind::Postgres => (postgres::command(login), postgres::input(line, statements)),
            DatabaseKind::Mariadb => (mariadb::command(login), mariadb::input(line, statements)),
        };
        let at = Place { namespace: &login.namespace, pod: &login.pod, container: login.container.as_deref() };
        let ended = self.exec(&at, &command, &input).await;
        ended.map_err(|seen| format!("the client can't be run in pod {}/{}: {seen}", login.namespace, login.pod))
    }

    /// Bears no label of ours: whatever leaves the inventory, `prune` must not take the only copy of a password.
    async fn begin(&self, secret: &ObjectRef, database: &str, old: &Secret) -> Result<(), Failure> {
        let ObjectRef { namespace, name, .. } = secret;
        let new = made_up();
        let body = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": { "name": name, "namespace": namespace, "annotations": { ROTATION: database } },
            "type": "Opaque",
            "data": { OLD_PASSWORD: encoded(old), NEW_PASSWORD: encoded(&new) },
        });
        let params = PostParams { field_manager: Some(MANAGER.into()), ..PostParams::default() };
        let request = Request::new(secrets_in(namespace)).create(&params, body.to_string().into_bytes());
        match self.fetch(request).await {
            Ok(_) => Ok(()),
            // Somebody else's rotation has begun: it is gone on with.
            Err(error) if status(&error).is_some_and(|status| status.code == 409) => Ok(()),
            Err(error) => Err(failure(format!("create {secret}"), told_of_secret(&error), &error)),
        }
    }

    /// A Secret that somebody changed since it was read is left as it is: the engine looks again.
    async fn write_key(&self, secret: &ObjectRef, planned: &str, key: &str, value: &Secret) -> Result<(), Failure> {
        let ObjectRef { namespace, name, .. } = secret;
        let tried = format!("write {key} of {secret}");
        let Some(live) = self.as_planned(namespace, name, planned, &tried).await? else { return Ok(()) };
        let revision = format!("{:016x}", rand::random::<u64>());
        let changes = Value::from(put_key(&live, key, value, (REVISION, &revision)));
        match self.patch_secret(namespace, name, &changes).await {
            Ok(()) => Ok(()),
            Err(refused) => match self.as_planned(namespace, name, planned, &tried).await? {
                None => Ok(()),
                Some(_) => Err(failure(tried, told_of_secret(&refused), &refused)),
            },
        }
    }
}

fn made_up() -> Secret {
    Secret::new(Alphanumeric.sample_string(&mut rand::rng(), LENGTH))
}

/// A client's errors, without the statements that they quote; where a password stands in them nothing is told.
fn said(login: &DatabaseLogin, code: i32, errors: &str, secrets: &[&Secret]) -> String {
    let at = format!("{} at {}", login.kind, login.address);
    let shows = |secret: &&Secret| secret.expose_str().is_some_and(|text| !text.is_empty() && errors.contains(text));
    if secrets.iter().any(shows) {
        return format!("{at}: the client ended with {code}; what it said holds a password and is left out");
    }
    let lines = || errors.lines().map(|line| line.trim_start_matches("Password: ").trim()).filter(|line| !line.is_empty());
    let telling: Vec<&str> = lines().filter(|line| ["ERROR", "FATAL", "error:"].iter().any(|word| line.contains(word))).collect();
    let words = if telling.is_empty() { lines().next_back().unwrap_or_default().to_owned() } else { telling.join("; ") };
    let words: String = words.chars().take(SHOWN).collect();
    format!("{at}: the client ended with {code}: {words}")
}

#[cfg(test)]
mod tests {
    use super::*;

    pub fn login() -> DatabaseLogin {
        DatabaseLogin {
            kind: DatabaseKind::Postgres,
            namespace: "shop".into(),
            pod: "db-0".into(),
            container: None,
            address: "10.42.0.7".into(),
            user: "shop".into(),
            database: Some("orders".into()),
        }
    }

    #[test]
    fn a_clients_words_are_told_without_its_prompt_and_never_with_a_password() {
        let login = login();
        let errors =
            "Password: \npsql: error: connection to server at \"10.42.0.7\", port 5432 failed: FATAL:  database \"shop\" does not exist\n";
        assert_eq!(
            said(&login, 2, errors, &[&Secret::new("canary")]),
            "PostgreSQL at 10.42.0.7: the client ended with 2: psql: error: connection to server at \"10.42.0.7\", port 5432 failed: \
             FATAL:  database \"shop\" does not exist"
        );
        let quoting = "--------------\nSET PASSWORD FOR 'a'@'b' = '*00'\n--------------\n\nERROR 1372 (HY000) at line 1: Password hash should be 43 characters long\n";
        assert!(
            said(&login, 1, quoting, &[])
                .ends_with("ended with 1: ERROR 1372 (HY000) at line 1: Password hash should be 43 characters long")
        );
        assert!(said(&login, 127, "sh: 3: mariadb: not found\n", &[]).ends_with("ended with 127: sh: 3: mariadb: not found"));
        let quoted = said(&login, 3, "ERROR: syntax error at or near \"canary\"", &[&Secret::new("canary")]);
        assert!(!quoted.contains("canary"), "{quoted}");
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { cases: 2000, ..Default::default() })]
        #[test]
        fn whatever_a_client_says_no_password_is_passed_on(
            password in "\\PC{6,20}",
            before in "(ERROR|FATAL|error:|\\PC|\n){0,30}",
            after in "(ERROR|\\PC|\n){0,30}",
        ) {
            let told = said(&login(), 1, &format!("{before}{password}{after}"), &[&Secret::new(password.clone())]);
            proptest::prop_assert!(!told.contains(&password), "{}", told);
        }
    }
}
