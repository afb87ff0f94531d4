//! A survey as the user reads it.

use super::clean;
use super::counts::Counts;
use super::lines::place;
use super::verdict::{block, note, told};
use crate::engine::Verdict;
use crate::model::{Note, Plan};

/// How steps that pass are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passed {
    /// A line each.
    Listed,
    /// By their number.
    Counted,
}

/// What `plan` prints: every step that is not converged, grouped by where it works, then notes and numbers.
#[must_use]
pub fn plan(verdicts: &[Verdict]) -> String {
    let open: Vec<&Verdict> = verdicts.iter().filter(|verdict| !verdict.converged()).collect();
    let mut places: Vec<&str> = Vec::new();
    for one in &open {
        if !places.contains(&place(&one.scope)) {
            places.push(place(&one.scope));
        }
    }
    let mut text = String::new();
    for here in places {
        text += &format!("{here}\n");
        let steps: Vec<_> = open.iter().filter(|one| place(&one.scope) == here).map(|one| (one.step.to_string(), wanted(one))).collect();
        // What one missing answer blocks is told in one breath.
        for alike in steps.chunk_by(|(_, one), (_, other)| one == other && one[0].starts_with("blocked")) {
            let names: Vec<&str> = alike.iter().map(|(name, _)| name.as_str()).collect();
            text += &format!("  {}: {}\n", names.join(", "), block(&alike[0].1));
        }
    }
    text += &notes(verdicts);
    clean(&(text + &Counts::of(verdicts).to_string()))
}

/// What a step says. A host that is lost does not come back by itself: its cure is told.
fn wanted(one: &Verdict) -> Vec<String> {
    let cure = one.lost().map(|failure| format!("  cure: {}", failure.cure));
    told(&one.planned).into_iter().chain(cure).collect()
}

/// What `verify` and `bootstrap` print at their end: what passes, what fails, warnings, manual work, facts.
#[must_use]
pub fn findings(verdicts: &[Verdict], passed: Passed) -> String {
    let mut text = String::new();
    for one in verdicts {
        match (one.converged(), passed) {
            (true, Passed::Listed) => text += &format!("ok    {} {}\n", place(&one.scope), one.step),
            (true, Passed::Counted) => {}
            (false, _) => text += &format!("FAIL  {} {}: {}\n", place(&one.scope), one.step, failing(one)),
        }
    }
    let failing = verdicts.iter().filter(|verdict| !verdict.converged()).count();
    text += &notes(verdicts);
    text += &match (failing, verdicts.len()) {
        (0, 1) => "1 step passes\n".to_owned(),
        (0, some) => format!("all {some} steps pass\n"),
        (some, all) => format!("{some} of {all} steps do not pass\n"),
    };
    clean(&text)
}

/// What does not pass, and its cure. What bedplate can mend is mended by `bootstrap`.
fn failing(one: &Verdict) -> String {
    let mut lines = told(&one.planned);
    match one.planned.as_ref().map(|planned| &planned.plan) {
        Ok(Plan::Act(_)) => lines.push("  cure: `bedplate bootstrap` does that".into()),
        Err(missing) => lines.push(format!("  cure: {}", missing.cure())),
        Ok(Plan::Converged | Plan::Wait(_) | Plan::Unmet(_)) => {}
    }
    block(&lines)
}

/// Notes of steps that are converged; the others' stand with their verdict.
fn notes(verdicts: &[Verdict]) -> String {
    let converged = verdicts.iter().filter(|verdict| verdict.converged());
    let mut lines: Vec<_> = converged
        .filter_map(|one| one.planned.as_ref().ok().map(|planned| (one, planned)))
        .flat_map(|(one, planned)| planned.notes.iter().map(move |note| (weight(note), one, note)))
        .collect();
    lines.sort_by_key(|(weight, ..)| *weight);
    lines.into_iter().map(|(_, one, what)| format!("{} ({})\n", note(what), one.step)).collect()
}

/// Facts first, then warnings, then work: what must be read stands last, next to the prompt.
const fn weight(note: &Note) -> u8 {
    match note {
        Note::Fact(_) => 0,
        Note::Warning(_) => 1,
        Note::Manual(_) => 2,
    }
}

#[cfg(test)]
#[path = "summary_tests.rs"]
mod tests;
