//! A survey as the user reads it.

use super::lines::place;
use super::verdict::verdict;
use super::clean;
use crate::engine::Verdict;
use crate::model::{Note, Plan, Planned};

/// What `plan` prints: every step that is not converged, grouped by where it works, and the counts.
#[must_use]
pub fn plan(verdicts: &[Verdict]) -> String {
    let mut text = String::new();
    let mut last = "";
    let mut changes = 0;
    for one in verdicts.iter().filter(|verdict| !verdict.converged()) {
        if place(&one.scope) != last {
            last = place(&one.scope);
            text += &format!("{last}\n");
        }
        changes += 1;
        text += &format!("  {}: {}\n", one.step, verdict(&one.planned).join("\n    "));
    }
    let converged = verdicts.len() - changes;
    text += &notes(verdicts);
    text += &match changes {
        0 => format!("nothing to change: {converged} steps are converged\n"),
        _ => format!("{changes} of {} steps want something; {converged} are converged\n", verdicts.len()),
    };
    clean(&text)
}

/// What `verify` and `bootstrap` print at their end: what fails, warnings, manual work, facts.
#[must_use]
pub fn findings(verdicts: &[Verdict]) -> String {
    let failing: Vec<_> = verdicts.iter().filter(|verdict| !verdict.converged()).collect();
    let mut text = String::new();
    for one in &failing {
        text += &format!("FAIL {} {}: {}\n", place(&one.scope), one.step, verdict(&one.planned).join("\n    "));
        // Nobody waits any more, so what would be waited for is a finding.
        if let Ok(Planned { plan: Plan::Wait(condition), .. }) = &one.planned {
            text += &format!("      cure: {}\n", condition.cure);
        }
    }
    text += &notes(verdicts);
    text += &match failing.len() {
        0 => format!("all {} steps pass\n", verdicts.len()),
        some => format!("{some} of {} steps do not pass\n", verdicts.len()),
    };
    clean(&text)
}

/// Notes of steps that are converged; the others' stand with their verdict.
fn notes(verdicts: &[Verdict]) -> String {
    let converged = verdicts.iter().filter(|verdict| verdict.converged());
    let mut lines: Vec<_> = converged
        .filter_map(|one| one.planned.as_ref().ok().map(|planned| (one, planned)))
        .flat_map(|(one, planned)| planned.notes.iter().map(move |note| (weight(note), one, note)))
        .collect();
    lines.sort_by_key(|(weight, ..)| *weight);
    let plain = |note: &Note| verdict(&Ok(Planned::from(Plan::Converged).with_notes(vec![note.clone()]))).pop();
    lines.into_iter().filter_map(|(_, one, note)| Some(format!("{} ({})\n", plain(note)?, one.step))).collect()
}

/// Facts first, then warnings, then work: what must be read stands last, next to the prompt.
const fn weight(note: &Note) -> u8 {
    match note {
        Note::Fact(_) => 0,
        Note::Warning(_) => 1,
        Note::Manual(_) => 2,
    }
}
