//! What `bedplate diagnose` prints: each site with its chain, and what is stuck there.

use super::clean;
use crate::engine::Verdict;
use crate::model::{Finding, Note, Plan, Planned};

/// Each site, the chain of its certificate from the top down, then what is stuck, why, and the cure.
#[must_use]
pub fn diagnosis(verdicts: &[Verdict]) -> String {
    if verdicts.is_empty() {
        return "no site of this inventory has a certificate by ACME\n".into();
    }
    let sites = verdicts.iter().map(|verdict| {
        let step = verdict.step.to_string();
        let domain = step.split_once('/').map_or(step.as_str(), |(_, domain)| domain);
        match &verdict.planned {
            Err(missing) => format!("{domain}: could not look at {}: {missing}\n  cure: {}\n", missing.question, missing.cure()),
            Ok(planned) => site(domain, planned),
        }
    });
    clean(&sites.collect::<Vec<_>>().join("\n"))
}

fn site(domain: &str, planned: &Planned) -> String {
    let findings: &[Finding] = match &planned.plan {
        Plan::Unmet(findings) => findings,
        Plan::Converged | Plan::Act(_) | Plan::Wait(_) => &[],
    };
    let mut text = format!("{domain}: {}\n", if findings.is_empty() { "nothing is stuck" } else { "stuck" });
    for note in &planned.notes {
        if let Note::Fact(fact) = note {
            text += &format!("    {fact}\n");
        }
    }
    for Finding { what, cure } in findings {
        text += &format!("  {}\n    cure: {cure}\n", what.replace('\n', "\n  "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ApiQuestion, Missing, Question, Scope, StepId, Why};

    #[test]
    fn a_site_is_told_from_its_chain_down_to_the_cure() {
        let verdict = |domain: &str, planned| Verdict { scope: Scope::Cluster, step: StepId::named("diagnose", domain), planned };
        let finding = Finding::new("the challenge of a.example does not get on: 502\n  because a policy\x1b denies it", "open it");
        let facts = ["certificate a/tls: not ready", "order a/tls-1: pending"].map(|fact| Note::Fact(fact.into())).to_vec();
        let why = Why::Unreadable("k3s does not run yet".into());
        let verdicts = [
            verdict("a.example", Ok(Planned::from(Plan::Unmet(vec![finding])).with_notes(facts))),
            verdict("b.example", Ok(Plan::Converged.into())),
            verdict("c.example", Err(Missing { question: Question::Api(ApiQuestion::Ready), why })),
        ];
        let expected = "\
a.example: stuck
    certificate a/tls: not ready
    order a/tls-1: pending
  the challenge of a.example does not get on: 502
    because a policy\u{fffd} denies it
    cure: open it

b.example: nothing is stuck

c.example: could not look at the API server: k3s does not run yet
  cure: see that k3s runs on the server (`systemctl status k3s`), then run again
";
        assert_eq!(diagnosis(&verdicts), expected);
    }
}
