//! A step's verdict as plain lines: the same in `plan`, in a run's report and in the golden cases.

use crate::model::{Missing, Note, Plan, Planned};

/// Lines of a verdict under a heading, whose place is two columns in: also the further lines of a reason or a cure stay below it.
#[must_use]
pub fn block(lines: &[String]) -> String {
    lines.join("\n").replace('\n', "\n    ")
}

/// `verdict`, and the cure of what is waited for.
#[must_use]
pub fn told(planned: &Result<Planned, Missing>) -> Vec<String> {
    let mut lines = verdict(planned);
    if let Ok(Planned { plan: Plan::Wait(condition), .. }) = planned
        && !condition.cure.is_empty()
    {
        lines.insert(1, format!("  cure: {}", condition.cure));
    }
    lines
}

/// The verdict, its reasons and its notes, a line each, the details indented by two.
#[must_use]
pub fn verdict(verdict: &Result<Planned, Missing>) -> Vec<String> {
    let planned = match verdict {
        Ok(planned) => planned,
        Err(missing) => return vec![format!("blocked: {missing}")],
    };
    let mut lines = match &planned.plan {
        Plan::Converged => vec!["converged".into()],
        Plan::Wait(condition) => vec![format!("wait: {} ({})", condition.what, condition.seen)],
        Plan::Act(actions) => {
            let mut lines = vec!["act".into()];
            lines.extend(actions.iter().map(|action| format!("  {action}")));
            lines.extend(planned.reasons.iter().flat_map(|reason| because(reason)));
            lines
        }
        Plan::Unmet(findings) => {
            let mut lines = vec!["unmet".into()];
            for finding in findings {
                lines.push(format!("- {}", finding.what));
                lines.push(format!("  cure: {}", finding.cure));
            }
            lines
        }
    };
    lines.extend(planned.notes.iter().map(note));
    lines
}

/// A reason; the further lines of a diff are indented below it.
fn because(reason: &str) -> Vec<String> {
    let mut lines = reason.lines();
    let first = lines.next().unwrap_or_default();
    std::iter::once(format!("  because {first}")).chain(lines.map(|line| format!("    {line}"))).collect()
}

/// What a reason says, and the diff that it shows, each of its lines ended; empty: none.
pub fn halves(reason: &str) -> (&str, String) {
    match reason.split_once(":\n") {
        Some((why, diff)) => (why, format!("{diff}\n")),
        None => (reason, String::new()),
    }
}

/// A note in a line.
pub fn note(note: &Note) -> String {
    match note {
        Note::Warning(finding) if finding.cure.is_empty() => format!("warning: {}", finding.what),
        Note::Warning(finding) => format!("warning: {}; {}", finding.what, finding.cure),
        Note::Manual(what) => format!("manual: {what}"),
        Note::Fact(what) => format!("fact: {what}"),
    }
}
