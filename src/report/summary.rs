//! A survey as the user reads it.

use super::clean;
use super::lines::place;
use super::verdict::{block, told, verdict};
use crate::engine::Verdict;
use crate::model::{Note, Plan, Planned};

/// How steps that pass are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passed {
    /// A line each.
    Listed,
    /// By their number.
    Counted,
}

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
        text += &format!("  {}: {}\n", one.step, block(&told(&one.planned)));
    }
    let converged = verdicts.len() - changes;
    text += &notes(verdicts);
    text += &match changes {
        0 => format!("nothing to change: {converged} steps are converged\n"),
        _ => format!("{changes} of {} steps want something; {converged} are converged\n", verdicts.len()),
    };
    clean(&text)
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
    text += &match failing {
        0 => format!("all {} steps pass\n", verdicts.len()),
        some => format!("{some} of {} steps do not pass\n", verdicts.len()),
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::{Condition, Finding, Scope, StepId};

    fn verdicts() -> Vec<Verdict> {
        let of = |step, planned| Verdict { scope: Scope::Cluster, step: StepId::of(step), planned: Ok(planned) };
        let wait =
            Condition { what: "it is up".into(), seen: "down:\nno answer".into(), cure: "look".into(), within: Duration::from_secs(1) };
        let warning = Note::Warning(Finding::new("it is slow", "more memory"));
        vec![of("a", Planned::from(Plan::Converged).with_notes(vec![warning])), of("b", Plan::Wait(wait).into())]
    }

    #[test]
    fn verify_tells_each_step_and_keeps_long_reasons_below_it() {
        let expected = "ok    cluster a\nFAIL  cluster b: wait: it is up (down:\n    no answer)\n      cure: look\n\
                        warning: it is slow; more memory (a)\n1 of 2 steps do not pass\n";
        assert_eq!(findings(&verdicts(), Passed::Listed), expected);
        assert!(!findings(&verdicts(), Passed::Counted).contains("ok "));
    }

    #[test]
    fn a_plan_shows_what_is_waited_for_with_its_cure() {
        assert!(plan(&verdicts()).starts_with("cluster\n  b: wait: it is up (down:\n    no answer)\n      cure: look\n"));
    }
}
