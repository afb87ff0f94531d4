//! Events as plain lines.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::kept::Kept;
use super::verdict::{block, note, told};
use super::{Detail, clean, progress};
use crate::model::{Event, Note, Scope, Sink, StepId, several};

/// A sink that prints lines, the host in front.
pub fn sink(detail: Detail) -> Sink {
    let state = Mutex::new((Kept::default(), Waits::default()));
    Arc::new(move |event| {
        // Held while it prints: lines of hosts that go on side by side must not mix.
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        let (kept, waits) = &mut *state;
        kept.keep(&event);
        if let Some(line) = line(&event, detail).filter(|_| waits.is_due(&event)) {
            progress(&clean(&line));
        }
        if matches!(event, Event::Failed(_)) && detail != Detail::Quiet {
            kept.tell();
        }
    })
}

/// How long each step had waited, and for what, when it was last told.
#[derive(Default)]
struct Waits(BTreeMap<(Scope, StepId, String), Duration>);

impl Waits {
    /// A wait is told when it begins, and every ten seconds however far its looks are apart; all else at once.
    fn is_due(&mut self, event: &Event) -> bool {
        let Event::Waiting { scope, step, condition, waited } = event else { return true };
        let wait = (scope.clone(), step.clone(), condition.what.clone());
        let has_begun = |last: &Duration| waited.is_zero() || waited < last;
        let is_due = self.0.get(&wait).is_none_or(|last| has_begun(last) || waited.as_secs() / 10 > last.as_secs() / 10);
        if is_due {
            self.0.insert(wait, *waited);
        }
        is_due
    }
}

/// The line of an event, if this detail shows it.
pub fn line(event: &Event, detail: Detail) -> Option<String> {
    if detail == Detail::Quiet {
        return None;
    }
    match event {
        Event::Acted { scope, step, what, took, said } => {
            let said = said.as_ref().map(|said| format!("; {said}")).unwrap_or_default();
            Some(format!("{}  {step}: {what} ({:.1} s{said})", place(scope), took.as_secs_f64()))
        }
        Event::Waiting { scope, step, condition, waited } => {
            let (waited, within) = (waited.as_secs(), condition.within.as_secs());
            Some(format!("{}  {step}: waiting {waited} s of {within} s: {} ({})", place(scope), condition.what, condition.seen))
        }
        Event::Acting { scope, step, what } if detail == Detail::Verbose => Some(format!("{}  {step}: {what} …", place(scope))),
        Event::Answered { host, questions } if detail == Detail::Verbose => {
            Some(format!("{host} answered {}", several(*questions, "question")))
        }
        Event::Asking { questions } if detail == Detail::Verbose => Some(format!("asking {}", several(*questions, "question"))),
        Event::Planned { scope, step, planned } if detail == Detail::Verbose => {
            Some(format!("{}  {step}: {}", place(scope), block(&told(&Ok(planned.clone())))))
        }
        // Once it is done, the last look has nothing left to warn of.
        Event::Planned { scope, step, planned } => {
            let warnings = planned.notes.iter().filter(|note| matches!(note, Note::Warning(_)));
            let lines: Vec<String> = warnings.map(|warning| format!("{}  {step}: {}", place(scope), note(warning))).collect();
            (!lines.is_empty()).then(|| lines.join("\n"))
        }
        Event::Resuming(failure) => Some(format!(
            "{failure}\n  once more: connecting anew, waiting (45 s at most) until what ran there has ended, then looking at what is there"
        )),
        Event::SetAside(failure) => Some(format!("{failure}\n  the others go on without it")),
        _ => None,
    }
}

/// Where a step works, in a word.
pub fn place(scope: &Scope) -> &str {
    match scope {
        Scope::Operator => "operator",
        Scope::Host(host) => &host.0,
        Scope::Cluster => "cluster",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Condition;

    #[test]
    fn a_wait_is_told_every_ten_seconds_however_long_a_look_takes() {
        let at = |what: &str, seconds| Event::Waiting {
            scope: Scope::Cluster,
            step: StepId::of("release"),
            condition: Condition { what: what.into(), seen: String::new(), cure: String::new(), within: Duration::from_secs(99) },
            waited: Duration::from_secs(seconds),
        };
        let mut waits = Waits::default();
        let mut told =
            |what, waited: &[u64]| -> Vec<u64> { waited.iter().copied().filter(|&seconds| waits.is_due(&at(what, seconds))).collect() };
        assert_eq!(told("a", &[0, 7, 14, 19, 21, 28, 2, 3, 9, 12]), [0, 14, 21, 2, 12]);
        assert_eq!(told("b", &[0, 6, 0, 6]), [0, 0], "another, and the same anew");
        assert_eq!(told("a", &[13, 19, 20]), [20], "one beside another is not told more often");
    }
}
