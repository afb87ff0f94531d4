//! A playbook's shape.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use crate::inventory::{Release, SecretSource, Site};

/// `playbooks/NAME.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Book {
    /// What it can be told.
    #[serde(default)]
    pub parameters: BTreeMap<String, Parameter>,
    /// Each a table with one key, the kind; texts in it are filled in with the parameters: `{{ domain }}`, in YAML `{{ domain | json }}`.
    pub steps: Vec<toml::Table>,
}

impl Book {
    /// Reads a playbook's text.
    ///
    /// # Errors
    /// In words: it is no TOML, or not of this shape.
    pub fn read(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())
    }
}

/// Something that a playbook can be told.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// For people.
    pub about: String,
    /// Without one the inventory must name it.
    #[serde(default)]
    pub default: Option<toml::Value>,
}

/// A generic step.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Generic {
    /// A namespace by name.
    Namespace(String),
    /// As a `[[secrets]]` table.
    Secret(SecretSource),
    /// As an entry of `[images]`.
    Image {
        /// Key of the entry.
        name: String,
        /// docker-archive, OCI tar or folder.
        archive: PathBuf,
    },
    /// As a `[[releases]]` table.
    Release(Release),
    /// YAML documents to be applied. No Secret.
    Manifest(String),
    /// An object that must be ready before what follows.
    Wait {
        /// `apps/v1`.
        api_version: String,
        /// `Deployment`.
        kind: String,
        /// Empty for cluster-scoped kinds.
        #[serde(default)]
        namespace: String,
        /// Its name.
        name: String,
        /// How long it may take, e.g. `120s`.
        within: String,
    },
    /// As a `[[sites]]` table; `release` may name the playbook, whose Ingress then takes the issuer.
    Check(Site),
}
