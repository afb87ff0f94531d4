//! Which kinds the API server knows: the usual ones by heart, others asked once a group version.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{PoisonError, RwLock};

use ::kube::Client;
use ::kube::core::{ApiResource, DynamicObject, GroupVersion, Resource};
use ::kube::discovery::{self, Scope};

use crate::model::ObjectRef;

use super::{known, refusal};

/// A kind that the API server knows.
#[derive(Clone, Debug)]
pub struct Kind {
    pub(super) resource: ApiResource,
    pub(super) scope: Scope,
}

impl Kind {
    /// URL path of the collection in which `object` lies, and whose items an apply or a GET addresses by name.
    /// A namespaced object without a namespace lies in `default`, as with kubectl.
    pub fn home(&self, object: &ObjectRef) -> String {
        match (self.is_namespaced(), object.namespace.as_str()) {
            (false, _) => self.everywhere(),
            (true, "") => DynamicObject::url_path(&self.resource, Some("default")),
            (true, namespace) => DynamicObject::url_path(&self.resource, Some(namespace)),
        }
    }

    /// URL path of the collection over all namespaces.
    pub fn everywhere(&self) -> String {
        DynamicObject::url_path(&self.resource, None)
    }

    /// Whether its objects lie in namespaces.
    pub fn is_namespaced(&self) -> bool {
        self.scope == Scope::Namespaced
    }
}

/// What is known of one group version.
enum Group {
    Served(BTreeMap<String, Kind>),
    Unreadable(String),
}

/// The kinds met so far.
pub struct Kinds {
    client: Client,
    known: RwLock<BTreeMap<String, Group>>,
}

impl Kinds {
    pub fn new(client: Client) -> Self {
        Self { client, known: RwLock::default() }
    }

    /// Whether nothing need be asked to know where objects of this kind lie.
    pub fn knows(&self, version: &str, kind: &str) -> bool {
        matches!(self.look(version, kind), Ok(Some(_)))
    }

    /// Asks for the group versions of those kinds that are not known yet: a custom resource may have come since.
    pub async fn meet<'a>(&self, wanted: impl IntoIterator<Item = (&'a str, &'a str)>) {
        let unknown = wanted.into_iter().filter(|(version, kind)| !self.knows(version, kind));
        let missing: BTreeSet<&str> = unknown.map(|(version, _)| version).collect();
        let asked = missing.into_iter().map(|version| async move { (version.to_owned(), self.group(version).await) });
        for (version, group) in futures::future::join_all(asked).await {
            self.known.write().unwrap_or_else(PoisonError::into_inner).insert(version, group);
        }
    }

    /// The object's kind; `None` if the server does not serve it. That one of the usual kinds is not served shows when it is used: 404.
    ///
    /// # Errors
    /// Why the server's list of kinds could not be read.
    pub fn of(&self, object: &ObjectRef) -> Result<Option<Kind>, String> {
        self.look(&object.api_version, &object.kind)
    }

    fn look(&self, version: &str, kind: &str) -> Result<Option<Kind>, String> {
        if let Some(kind) = known::kind(version, kind) {
            return Ok(Some(kind));
        }
        match self.known.read().unwrap_or_else(PoisonError::into_inner).get(version) {
            Some(Group::Served(kinds)) => Ok(kinds.get(kind).cloned()),
            Some(Group::Unreadable(reason)) => Err(format!("the kinds of {version} can't be read: {reason}")),
            None => Ok(None),
        }
    }

    async fn group(&self, version: &str) -> Group {
        let Ok(parsed) = version.parse::<GroupVersion>() else {
            return Group::Unreadable("it is not an API version".into());
        };
        match discovery::pinned_group(&self.client, &parsed).await {
            Ok(group) => {
                let resources = group.versioned_resources(&parsed.version).into_iter();
                Group::Served(resources.map(|(resource, traits)| (resource.kind.clone(), Kind { resource, scope: traits.scope })).collect())
            }
            Err(error) if refusal::is_absent(&error) => Group::Served(BTreeMap::new()),
            Err(error) => Group::Unreadable(refusal::told(&error)),
        }
    }
}
