//! What a Secret must hold, out of all its sources.

use std::collections::BTreeMap;

use super::{Data, Wanted};
use crate::inventory::{Lack, SecretSource, Typed, fault};
use crate::model::{Finding, LiveSecret, Missing, Note, Recipe, Secret, View};

impl Wanted {
    /// The exact data but for what is made up, or what it lacks.
    pub(super) fn data(&self, seen: &View<'_>) -> Result<Result<Data, Vec<Finding>>, Missing> {
        let mut findings = Vec::new();
        let public = self.source.public.iter().map(|(key, value)| (key.clone(), Secret::new(value.as_bytes())));
        let mut data: Data = public.collect();
        for (key, path) in &self.source.files {
            match seen.file(path)? {
                Some(content) => drop(data.insert(key.clone(), content.clone())),
                None => findings
                    .push(Finding::new(format!("{} is not there", path.display()), format!("write it, or name another file for {key}"))),
            }
        }
        for (key, program) in &self.source.commands {
            let value = seen.output(program)?.filter(|value| !value.expose().is_empty());
            let fault = match value {
                Some(value) => fault(value, self.source.shape.get(key).copied(), &self.placeholders),
                None => Some("lacks a value".into()),
            };
            let told =
                |fault| Finding::new(format!("{key} from `{program}` {fault}"), format!("correct what it says, or name another for {key}"));
            findings.extend(fault.map(told));
            data.extend(value.map(|value| (key.clone(), value.clone())));
        }
        if !self.source.env_file.is_empty() {
            match seen.env_files(&self.source.env_file)? {
                Some(env) => self.take_env(env, &mut data, &mut findings),
                None => findings.push(Finding::new(format!("{} is not there", self.env_files()), "write it, or name another env_file")),
            }
        }
        Ok(if findings.is_empty() { Ok(data) } else { Err(findings) })
    }

    /// What must be made up; what was once stays.
    pub(super) fn made(&self, live: Option<&LiveSecret>, data: &mut Data) -> BTreeMap<String, Recipe> {
        let mut made = self.source.generate.clone();
        made.retain(|key, _| {
            let kept = live.and_then(|live| live.data.get(key));
            data.extend(kept.map(|value| (key.clone(), value.clone())));
            kept.is_none()
        });
        made
    }

    /// What somebody typed, or has typed once.
    pub(super) fn typed(&self, live: Option<&LiveSecret>, data: &mut Data) -> Vec<Finding> {
        let mut findings = Vec::new();
        for key in &self.source.prompt {
            let kept = live.and_then(|live| live.data.get(key));
            let value = match self.source.typed.get(key) {
                Some(Typed::Anew(value)) => Some(value),
                Some(Typed::Lacking(value)) => kept.or(Some(value)),
                None => kept,
            };
            match value {
                Some(value) => drop(data.insert(key.clone(), value.clone())),
                None => findings.push(Finding::new(
                    format!("{key} has no value yet: somebody has to type it"),
                    "run `bedplate bootstrap` at a terminal, which asks for it",
                )),
            }
        }
        findings
    }

    /// What was typed where nothing was seen, and a value was there after all.
    pub(super) fn unused(&self, live: Option<&LiveSecret>) -> Vec<Note> {
        let SecretSource { namespace, name, typed, .. } = &self.source;
        let lost = typed.iter().filter(|(key, typed)| match typed {
            Typed::Lacking(value) => live.and_then(|live| live.data.get(*key)).is_some_and(|kept| kept != value),
            Typed::Anew(_) => false,
        });
        let told = |key: &String| {
            let cure = format!("what was typed is not used; `bedplate bootstrap --ask {key}` puts another there");
            Note::Warning(Finding::new(format!("{key} of secret {namespace}/{name} has a value already"), cure))
        };
        lost.map(|(key, _)| told(key)).collect()
    }

    fn take_env(&self, env: &Data, data: &mut Data, findings: &mut Vec<Finding>) {
        for key in &self.source.allow {
            let origin = self.source.origin(key);
            match (env.get(origin).filter(|value| !value.expose().is_empty()), self.source.lack(key)) {
                (Some(value), _) => {
                    if let Some(fault) = fault(value, self.source.shape.get(key).copied(), &self.placeholders) {
                        findings.push(Finding::new(format!("{origin} in {} {fault}", self.env_files()), format!("correct {origin}")));
                    }
                    data.insert(key.clone(), value.clone());
                }
                // So that the set of keys never depends on the file.
                (None, Lack::Empty) => drop(data.insert(key.clone(), Secret::new(""))),
                (None, Lack::LeftOut) => {}
                (None, Lack::Refused) => findings.push(Finding::new(
                    format!("{origin} lacks a value in {}", self.env_files()),
                    format!("set {origin}, or list {key} in may_be_empty or optional of secret {}", self.source.name),
                )),
            }
        }
    }

    fn env_files(&self) -> String {
        self.source.env_file.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }
}
