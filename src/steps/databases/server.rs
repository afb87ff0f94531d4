//! Where a database's server answers.

use std::time::Duration;

use serde_json::Value;

use super::super::object::condition;
use super::super::workloads::pods;
use crate::inventory::Database;
use crate::model::{ApiQuestion, Condition, DatabaseKind, DatabaseLogin, Finding, Missing, ObjectRef, PasswordRef, Question, View};

/// How long pods may take to come up.
pub const PATIENCE: Duration = Duration::from_secs(240);

/// What `find` must know.
pub fn questions(database: &Database) -> impl Iterator<Item = Question> {
    let pods = ApiQuestion::List { of: pods::all(&database.namespace), selector: String::new() };
    database.server().map(ApiQuestion::Object).into_iter().chain([pods]).map(Question::Api)
}

/// The login at its pod that is ready, or what to wait for.
///
/// # Errors
/// The workload or its pods can't be seen.
pub fn find(seen: &View<'_>, database: &Database) -> Result<Result<DatabaseLogin, Condition>, Missing> {
    let Some(object) = database.server() else { return Ok(Err(absent(database, "it is no workload".into()))) };
    let Some(workload) = seen.object(&object)? else { return Ok(Err(absent(database, format!("{object} is absent")))) };
    let listed = seen.list(&pods::all(&database.namespace), "")?.map(Vec::as_slice).unwrap_or_default();
    let mut pods: Vec<&Value> = pods::of(workload, listed).iter().map(pods::Pod::body).collect();
    pods.sort_by_key(|pod| pod["metadata"]["name"].as_str().unwrap_or_default());
    let Some(pod) = pods.into_iter().find(|pod| pod["metadata"].get("deletionTimestamp").is_none()) else {
        return Ok(Err(absent(database, format!("{object} has no pod"))));
    };
    let name = pod["metadata"]["name"].as_str().unwrap_or_default();
    let ready = condition(pod, "Ready").is_some_and(|ready| ready["status"] == "True");
    Ok(match pod["status"]["podIP"].as_str() {
        Some(address) if ready => Ok(DatabaseLogin {
            kind: database.kind,
            namespace: database.namespace.clone(),
            pod: name.into(),
            container: database.container.clone(),
            address: address.into(),
            user: database.user.clone(),
            database: database.database.clone(),
        }),
        _ => Err(absent(database, format!("pod {name} is not ready"))),
    })
}

/// The question whether the password under `key` of `secret` logs in.
pub fn asks(login: &DatabaseLogin, password: &PasswordRef) -> Question {
    Question::Api(ApiQuestion::Login { login: login.clone(), password: password.clone() })
}

/// It lets in whoever comes.
pub fn open(login: &DatabaseLogin) -> Finding {
    let how = match login.kind {
        DatabaseKind::Postgres => "pg_hba.conf: scram-sha-256",
        DatabaseKind::Mariadb => "without skip-grant-tables, the account with a password",
    };
    let DatabaseLogin { kind, address, user, .. } = login;
    Finding::new(format!("{kind} at {address} lets {user} in with any password"), format!("have it ask for one ({how}), then run again"))
}

/// A key of a Secret.
pub fn password(secret: &ObjectRef, key: &str) -> PasswordRef {
    PasswordRef { secret: secret.name.clone(), key: key.into() }
}

fn absent(database: &Database, seen: String) -> Condition {
    Condition {
        what: format!("the server of database {} runs", database.name),
        seen,
        cure: format!("kubectl -n {} describe {}", database.namespace, database.workload),
        within: PATIENCE,
    }
}
