//! What the checks found: failures, warnings and facts told apart.

use crate::model::{Finding, Note, Plan, Planned};

/// Collects in the order of the checks.
#[derive(Default)]
pub struct Findings {
    failures: Vec<Finding>,
    notes: Vec<Note>,
}

impl Findings {
    /// k3s can't run like this.
    pub fn fail(&mut self, what: impl Into<String>, cure: impl Into<String>) {
        self.failures.push(Finding::new(what, cure));
    }

    /// It may bite later.
    pub fn warn(&mut self, what: impl Into<String>, cure: impl Into<String>) {
        self.notes.push(Note::Warning(Finding::new(what, cure)));
    }

    /// Worth a line.
    pub fn fact(&mut self, what: impl Into<String>) {
        self.notes.push(Note::Fact(what.into()));
    }
}

impl From<Findings> for Planned {
    fn from(findings: Findings) -> Self {
        let plan = if findings.failures.is_empty() { Plan::Converged } else { Plan::Unmet(findings.failures) };
        Self::from(plan).with_notes(findings.notes)
    }
}
