//! Events as JSON, one a line. `v` is the version of this shape: fields may be added to it, never changed.

use serde_json::{Value, json};

use super::counts::Counts;
use super::lines::place;
use super::stream::result;
use super::verdict::{halves, told};
use crate::engine::Verdict;
use crate::model::{Event, Failure, Finding, Missing, Note, Plan, Planned};

const VERSION: u32 = 1;

/// Prints an event.
pub fn event(event: &Event) {
    if let Some(value) = value(event) {
        result(&format!("{value}\n"));
    }
}

/// Prints the verdicts of a survey, and their numbers.
pub fn json_verdicts(verdicts: &[Verdict]) {
    for one in verdicts {
        result(&format!("{}\n", verdict_value(place(&one.scope), &one.step.to_string(), &one.planned)));
    }
    result(&format!("{}\n", counts(&Counts::of(verdicts))));
}

fn counts(counts: &Counts) -> Value {
    let Counts { converged, act, wait, unmet, blocked, hosts, on_hosts, in_cluster, on_operator } = counts;
    json!({
        "v": VERSION, "event": "counts", "steps": counts.steps(), "converged": converged, "act": act, "wait": wait, "unmet": unmet,
        "blocked": blocked, "actions": { "hosts": on_hosts, "cluster": in_cluster, "operator": on_operator }, "hosts": hosts,
    })
}

/// `lines` is what `plan` prints; the other fields hold its parts, and those that do not apply are left out.
fn verdict_value(scope: &str, step: &str, planned: &Result<Planned, Missing>) -> Value {
    let lines = told(planned);
    let mut value = json!({ "v": VERSION, "event": "verdict", "scope": scope, "step": step, "verdict": kind(planned), "lines": lines });
    let planned = match planned {
        Ok(planned) => planned,
        Err(missing) => {
            value["missing"] = json!({ "what": missing.to_string(), "cure": missing.cure() });
            return value;
        }
    };
    match &planned.plan {
        Plan::Converged => {}
        Plan::Act(actions) => {
            value["actions"] = actions.iter().map(ToString::to_string).collect();
            value["reasons"] = planned.reasons.iter().map(|reason| halves(reason).0).collect();
            value["diff"] = planned.reasons.iter().map(|reason| halves(reason).1).collect::<String>().into();
        }
        Plan::Wait(condition) => {
            let within = condition.within.as_secs();
            value["waits"] = json!({ "what": condition.what, "seen": condition.seen, "cure": condition.cure, "seconds": within });
        }
        Plan::Unmet(findings) => value["findings"] = findings.iter().map(finding).collect(),
    }
    value["notes"] = planned.notes.iter().map(note).collect();
    value
}

fn finding(finding: &Finding) -> Value {
    json!({ "what": finding.what, "cure": finding.cure })
}

fn note(note: &Note) -> Value {
    match note {
        Note::Warning(finding) => json!({ "kind": "warning", "what": finding.what, "cure": finding.cure }),
        Note::Manual(what) => json!({ "kind": "manual", "what": what }),
        Note::Fact(what) => json!({ "kind": "fact", "what": what }),
    }
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

fn failed(event: &str, failure: &Failure) -> Value {
    json!({
        "v": VERSION, "event": event, "exit": failure.exit as u8, "text": failure.to_string(), "scope": failure.scope.as_ref().map(place),
        "step": failure.step.as_ref().map(ToString::to_string), "tried": failure.tried, "seen": failure.seen, "cure": failure.cure,
    })
}

fn value(event: &Event) -> Option<Value> {
    Some(match event {
        Event::Answered { host, questions } => json!({ "v": VERSION, "event": "answered", "host": host.0, "questions": questions }),
        Event::Asking { questions } => json!({ "v": VERSION, "event": "asking", "questions": questions }),
        Event::Planned { scope, step, planned } => verdict_value(place(scope), &step.to_string(), &Ok(planned.clone())),
        Event::Acting { scope, step, what } => {
            json!({ "v": VERSION, "event": "acting", "scope": place(scope), "step": step.to_string(), "what": what })
        }
        Event::Acted { scope, step, what, took, said } => {
            let mut acted = json!({ "v": VERSION, "event": "acted", "scope": place(scope), "step": step.to_string(), "what": what, "seconds": took.as_secs_f64() });
            if let Some(said) = said {
                acted["said"] = json!(said);
            }
            acted
        }
        Event::Waiting { scope, step, condition, waited } => {
            json!({ "v": VERSION, "event": "waiting", "scope": place(scope), "step": step.to_string(), "what": condition.what, "seen": condition.seen, "seconds": waited.as_secs() })
        }
        Event::Noted { scope, step, note: one } => {
            json!({ "v": VERSION, "event": "note", "scope": place(scope), "step": step.to_string(), "note": note(one) })
        }
        Event::Resuming(failure) => failed("resuming", failure),
        Event::SetAside(failure) => failed("set-aside", failure),
        Event::Failed(failure) => failed("failed", failure),
        Event::Sent { .. } | Event::Looked | Event::Done => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_is_told_in_lines_and_in_parts() {
        let reasons = vec!["/x differs:\n--- /x (live)\n+++ /x (wanted)\n@@ -1 +1 @@\n-a\n+b".into(), "it is absent".into()];
        let planned = Planned { plan: Plan::Act(Vec::new()), notes: vec![Note::Fact("helm v4".into())], reasons };
        let value = verdict_value("droplet", "k3s", &Ok(planned));
        assert_eq!((&value["verdict"], &value["scope"], &value["step"]), (&json!("act"), &json!("droplet"), &json!("k3s")));
        assert_eq!(value["reasons"], json!(["/x differs", "it is absent"]));
        assert_eq!(value["diff"], json!("--- /x (live)\n+++ /x (wanted)\n@@ -1 +1 @@\n-a\n+b\n"));
        assert_eq!(value["notes"], json!([{ "kind": "fact", "what": "helm v4" }]));
        assert_eq!(value["lines"][1], json!("  because /x differs:"));
    }
}
