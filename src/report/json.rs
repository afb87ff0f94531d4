//! Events as JSON, one a line. `v` is the version of this shape: fields may be added to it, never changed.

use serde_json::{Value, json};

use super::lines::place;
use super::stream::result;
use super::verdict::told;
use crate::engine::Verdict;
use crate::model::{Event, Missing, Plan, Planned};

const VERSION: u32 = 1;

/// Prints an event.
pub fn event(event: &Event) {
    if let Some(value) = value(event) {
        result(&format!("{value}\n"));
    }
}

/// Prints the verdicts of a survey.
pub fn json_verdicts(verdicts: &[Verdict]) {
    for one in verdicts {
        result(&format!("{}\n", verdict_value(place(&one.scope), &one.step.to_string(), &one.planned)));
    }
}

fn verdict_value(scope: &str, step: &str, planned: &Result<Planned, Missing>) -> Value {
    json!({ "v": VERSION, "event": "verdict", "scope": scope, "step": step, "verdict": kind(planned), "lines": told(planned) })
}

fn kind(planned: &Result<Planned, Missing>) -> &'static str {
    match planned.as_ref().map(|planned| &planned.plan) {
        Err(_) => "blocked",
        Ok(Plan::Converged) => "converged",
        Ok(Plan::Act(_)) => "act",
        Ok(Plan::Wait(_)) => "wait",
        Ok(Plan::Unmet(_)) => "unmet",
    }
}

fn value(event: &Event) -> Option<Value> {
    Some(match event {
        Event::Asking { questions } => json!({ "v": VERSION, "event": "asking", "questions": questions }),
        Event::Planned { scope, step, planned } => verdict_value(place(scope), &step.to_string(), &Ok(planned.clone())),
        Event::Acting { scope, step, what } => {
            json!({ "v": VERSION, "event": "acting", "scope": place(scope), "step": step.to_string(), "what": what })
        }
        Event::Acted { scope, step, what, took } => {
            json!({ "v": VERSION, "event": "acted", "scope": place(scope), "step": step.to_string(), "what": what, "seconds": took.as_secs_f64() })
        }
        Event::Waiting { scope, step, condition, waited } => {
            json!({ "v": VERSION, "event": "waiting", "scope": place(scope), "step": step.to_string(), "what": condition.what, "seen": condition.seen, "seconds": waited.as_secs() })
        }
        Event::Resuming(failure) => json!({ "v": VERSION, "event": "resuming", "exit": failure.exit as u8, "text": failure.to_string() }),
        Event::SetAside(failure) => json!({ "v": VERSION, "event": "set-aside", "exit": failure.exit as u8, "text": failure.to_string() }),
        Event::Failed(failure) => json!({ "v": VERSION, "event": "failed", "exit": failure.exit as u8, "text": failure.to_string() }),
        Event::Sent { .. } | Event::Done => return None,
    })
}
