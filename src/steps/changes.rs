//! What a step found to differ, and what mends it, collected side by side.

use crate::model::{Action, FileWrite, HostAction, HostQuestion, Missing, Planned, Question, UnitChange, View};

/// Actions in their order, with a reason for each that needs one.
#[derive(Debug, Default)]
pub struct Changes {
    actions: Vec<Action>,
    reasons: Vec<String>,
}

impl Changes {
    /// Something differs, and this mends it.
    pub fn add(&mut self, reason: impl Into<String>, action: Action) {
        self.reasons.push(reason.into());
        self.actions.push(action);
    }

    /// The same on the host that is seen.
    pub fn on_host(&mut self, seen: &View<'_>, reason: impl Into<String>, action: HostAction) {
        self.add(reason, Action::Host(seen.host().clone(), action));
    }

    /// A change of a unit.
    pub fn unit(&mut self, seen: &View<'_>, reason: impl Into<String>, unit: &str, change: UnitChange) {
        self.on_host(seen, reason, HostAction::Unit { unit: unit.into(), change });
    }

    /// Writes the file if it differs in content, mode, owner or kind.
    ///
    /// # Errors
    /// Its content or metadata was not asked or can't be read.
    pub fn file(&mut self, seen: &View<'_>, wanted: FileWrite) -> Result<(), Missing> {
        if let Some(reason) = super::file::difference(seen, &wanted)? {
            self.on_host(seen, reason, HostAction::WriteFile(wanted));
        }
        Ok(())
    }

    /// What mends it, so far.
    pub fn actions(&self) -> impl Iterator<Item = &Action> {
        self.actions.iter()
    }

    /// Whether nothing differs so far.
    pub fn is_empty(&self) -> bool {
        self.actions.is_empty()
    }
}

impl From<Changes> for Planned {
    fn from(changes: Changes) -> Self {
        Self::act(changes.actions, changes.reasons)
    }
}

/// What `Changes::file` must know of a path.
pub fn file_questions(seen: &View<'_>, path: &str) -> [Question; 2] {
    [seen.ask(HostQuestion::Stat(path.into())), seen.ask(HostQuestion::Content(path.into()))]
}
