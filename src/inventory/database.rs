//! `[[databases]]`: logins whose passwords `bedplate rotate database` changes.

use serde::Deserialize;

use super::secret_source::workload;
use crate::model::{DatabaseKind, ObjectRef};

/// A login at a database that runs in the cluster.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// What it is called on the command line; its rotation is kept in Secret `NAME-rotation`.
    pub name: String,
    /// `postgres` or `mariadb`.
    pub kind: DatabaseKind,
    /// Where all of it lies.
    pub namespace: String,
    /// What runs the server: `statefulset/db`. Of several pods the first by name is spoken to.
    pub workload: String,
    /// The container with server and client; default: the pod's first.
    #[serde(default)]
    pub container: Option<String>,
    /// Who logs in.
    pub user: String,
    /// What is logged in to; default: what the client takes.
    #[serde(default)]
    pub database: Option<String>,
    /// Name of the Secret that holds the password.
    pub secret: String,
    /// Its key with the password and nothing else.
    pub key: String,
    /// Workloads that read it when they start: `deployment/web`.
    #[serde(default)]
    pub consumers: Vec<String>,
}

impl Database {
    /// The Secret of a rotation that goes on.
    #[must_use]
    pub fn rotation(&self) -> ObjectRef {
        ObjectRef::new("v1", "Secret", &self.namespace, &format!("{}-rotation", self.name))
    }

    /// What runs the server.
    #[must_use]
    pub fn server(&self) -> Option<ObjectRef> {
        workload(&self.namespace, &self.workload)
    }

    /// What must be restarted.
    pub fn readers(&self) -> impl Iterator<Item = ObjectRef> {
        self.consumers.iter().filter_map(|consumer| workload(&self.namespace, consumer))
    }
}
