//! `[[secrets]]`: which keys reach the pods, and where their values come from.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::Form;
use crate::model::{EnvSource, ObjectRef, Program, Recipe, Secret};

/// What can be restarted, as users write it and as Kubernetes calls it.
pub const CONSUMERS: [(&str, &str); 3] = [("deployment", "Deployment"), ("statefulset", "StatefulSet"), ("daemonset", "DaemonSet")];

/// `[[secrets]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretSource {
    /// Name of the Secret.
    pub name: String,
    /// Made when absent.
    pub namespace: String,
    /// Where the values come from: a file, or what a program says, or a list of them, where later ones win.
    #[serde(default, deserialize_with = "one_or_many")]
    pub env_file: Vec<EnvSource>,
    /// Keys of the Secret that are taken from `env_file`; all others stay out.
    #[serde(default)]
    pub allow: Vec<String>,
    /// Those of `allow` that may be empty or absent; pods get them all the same.
    #[serde(default)]
    pub may_be_empty: Vec<String>,
    /// Those of `allow` that the Secret lacks where the files lack them or have them empty.
    #[serde(default)]
    pub optional: Vec<String>,
    /// Keys of `allow` to what the files call them.
    #[serde(default)]
    pub rename: BTreeMap<String, String>,
    /// Keys that must never be in it, beside those that never may; `*` stands for anything.
    #[serde(default)]
    pub deny: Vec<String>,
    /// What values must look like.
    #[serde(default)]
    pub shape: BTreeMap<String, Form>,
    /// Keys whose values are whole files, of any bytes.
    #[serde(default)]
    pub files: BTreeMap<String, PathBuf>,
    /// Workloads that read it when they start, e.g. `deployment/web`: they are restarted when it changed.
    #[serde(default)]
    pub consumers: Vec<String>,
    /// Keys to programs of this machine, with their arguments, that say the value.
    #[serde(default)]
    pub commands: BTreeMap<String, Program>,
    /// Keys whose values are made up once; the one that is there stays for ever.
    #[serde(default)]
    pub generate: BTreeMap<String, Recipe>,
    /// Keys whose values somebody types; the one that is there stays until another is asked for.
    #[serde(default)]
    pub prompt: Vec<String>,
    /// What was typed for them in this run.
    #[serde(skip)]
    pub typed: BTreeMap<String, Typed>,
    /// Values that are no secret.
    #[serde(default)]
    pub public: BTreeMap<String, String>,
}

/// A value that somebody typed.
#[derive(Clone, Debug)]
pub enum Typed {
    /// Because none was seen: what is there after all stays.
    Lacking(Secret),
    /// To take the place of what is there.
    Anew(Secret),
}

/// What becomes of a key that has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// Nothing is written at all.
    Refused,
    /// Pods get it empty.
    Empty,
    /// The Secret goes without it.
    LeftOut,
}

impl SecretSource {
    /// What the files call a key of the Secret.
    #[must_use]
    pub fn origin<'s>(&'s self, key: &'s str) -> &'s str {
        self.rename.get(key).map_or(key, String::as_str)
    }

    /// The workloads of `consumers`; what is none is left out.
    pub fn workloads(&self) -> impl Iterator<Item = ObjectRef> {
        self.consumers.iter().filter_map(|consumer| workload(&self.namespace, consumer))
    }

    /// Gives every path to `settle`; programs run in `folder`.
    pub fn settle(&mut self, settle: impl Fn(&mut PathBuf), folder: &Path) {
        let stay = |program: &mut Program| program.folder = folder.to_owned();
        for source in &mut self.env_file {
            match source {
                EnvSource::File(path) => settle(path),
                EnvSource::Program(program) => stay(program),
            }
        }
        self.files.values_mut().for_each(settle);
        self.commands.values_mut().for_each(stay);
    }

    /// What becomes of a key of `allow` that has no value.
    #[must_use]
    pub fn lack(&self, key: &str) -> Lack {
        let named = |keys: &[String]| keys.iter().any(|named| named == key);
        match () {
            () if named(&self.may_be_empty) => Lack::Empty,
            () if named(&self.optional) => Lack::LeftOut,
            () => Lack::Refused,
        }
    }
}

fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<EnvSource>, D::Error> {
    struct Sources;
    impl<'de> Visitor<'de> for Sources {
        type Value = Vec<EnvSource>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a path or a list of paths")
        }

        fn visit_str<E>(self, path: &str) -> Result<Self::Value, E> {
            Ok(vec![EnvSource::File(path.into())])
        }

        fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<Self::Value, A::Error> {
            EnvSource::deserialize(MapAccessDeserializer::new(table)).map(|source| vec![source])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, sources: A) -> Result<Self::Value, A::Error> {
            Vec::deserialize(SeqAccessDeserializer::new(sources))
        }
    }
    deserializer.deserialize_any(Sources)
}

/// `deployment/web` as kubectl takes it.
pub fn workload(namespace: &str, text: &str) -> Option<ObjectRef> {
    let (kind, name) = text.split_once('/')?;
    let (_, kind) = CONSUMERS.into_iter().find(|(word, _)| *word == kind)?;
    Some(ObjectRef::new("apps/v1", kind, namespace, name))
}
