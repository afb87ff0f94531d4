use std::time::Duration;

use super::*;
use crate::model::{
    Action, ApiAction, ApiQuestion, Condition, Finding, HostAction, HostId, Missing, ObjectRef, Planned, Question, Scope, StepId,
    UnitChange, Why,
};

fn of(scope: Scope, step: &'static str, planned: Planned) -> Verdict {
    Verdict { scope, step: StepId::of(step), planned: Ok(planned) }
}

fn blocked(step: &'static str) -> Verdict {
    let why = Why::Unreadable("k3s does not run yet".into());
    Verdict { scope: Scope::Cluster, step: StepId::of(step), planned: Err(Missing { question: Question::Api(ApiQuestion::Ready), why }) }
}

fn verdicts() -> Vec<Verdict> {
    let wait = Condition { what: "it is up".into(), seen: "down:\nno answer".into(), cure: "look".into(), within: Duration::from_secs(1) };
    let warning = Note::Warning(Finding::new("it is slow", "more memory"));
    let a = of(Scope::Cluster, "a", Planned::from(Plan::Converged).with_notes(vec![warning]));
    vec![a, of(Scope::Cluster, "b", Plan::Wait(wait).into())]
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

#[test]
fn a_plan_is_grouped_by_place_and_step_and_counted() {
    let host = HostId("droplet".into());
    let restart = Action::Host(host.clone(), HostAction::Unit { unit: "k3s".into(), change: UnitChange::Restart });
    let delete = Action::Api(ApiAction::Delete(ObjectRef::new("v1", "Namespace", "", "old")));
    let diff = "/etc/x differs:\n--- /etc/x (live)\n+++ /etc/x (wanted)\n@@ -1 +1 @@\n-a\n+b";
    let unmet = Plan::Unmet(vec![Finding::new("no memory", "buy some")]);
    let verdicts = [
        of(Scope::Host(host.clone()), "k3s", Planned::act(vec![restart.clone()], vec![diff.into()])),
        of(Scope::Cluster, "prune", Planned::act(vec![delete], vec!["it left the inventory".into()])),
        of(Scope::Host(host), "images", unmet.into()),
        of(Scope::Cluster, "calm", Plan::Converged.into()),
        blocked("c"),
        blocked("d"),
    ];
    let expected = "\
droplet
  k3s: act
      restart k3s
      because /etc/x differs:
        --- /etc/x (live)
        +++ /etc/x (wanted)
        @@ -1 +1 @@
        -a
        +b
  images: unmet
    - no memory
      cure: buy some
cluster
  prune: act
      delete namespace old
      because it left the inventory
  c, d: blocked: k3s does not run yet
2 actions: 1 on 1 host, 1 in the cluster
6 steps: 1 converged, 2 act, 1 unmet, 2 blocked
";
    assert_eq!(plan(&verdicts), expected);
}
