//! Events as plain lines.

use std::sync::{Arc, Mutex, PoisonError};

use super::kept::Kept;
use super::verdict::{block, note, told};
use super::{Detail, clean, progress};
use crate::model::{Event, Note, Scope, Sink};

/// A sink that prints lines, the host in front.
pub fn sink(detail: Detail) -> Sink {
    let kept = Mutex::new(Kept::default());
    Arc::new(move |event| {
        // Held while it prints: lines of hosts that go on side by side must not mix.
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.keep(&event);
        if let Some(line) = line(&event, detail) {
            progress(&clean(&line));
        }
        if matches!(event, Event::Failed(_)) && detail != Detail::Quiet {
            kept.tell();
        }
    })
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
        Event::Waiting { scope, step, condition, waited } if waited.as_secs().is_multiple_of(10) => {
            let (waited, within) = (waited.as_secs(), condition.within.as_secs());
            Some(format!("{}  {step}: waiting {waited} s of {within} s: {} ({})", place(scope), condition.what, condition.seen))
        }
        Event::Acting { scope, step, what } if detail == Detail::Verbose => Some(format!("{}  {step}: {what} …", place(scope))),
        Event::Answered { host, questions } if detail == Detail::Verbose => Some(format!("{host} answered {questions} questions")),
        Event::Asking { questions } if detail == Detail::Verbose => Some(format!("asking {questions} questions")),
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
