//! A survey in numbers.

use std::collections::BTreeSet;
use std::fmt;

use crate::engine::Verdict;
use crate::model::{Action, HostId, Plan, several};

/// How many steps say what, and how many actions that makes, by where they are performed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub converged: usize,
    pub act: usize,
    pub wait: usize,
    pub unmet: usize,
    pub blocked: usize,
    /// Hosts that `on_hosts` concerns.
    pub hosts: usize,
    pub on_hosts: usize,
    pub in_cluster: usize,
    pub on_operator: usize,
}

impl Counts {
    pub fn of(verdicts: &[Verdict]) -> Self {
        let mut counts = Self::default();
        let mut hosts: BTreeSet<&HostId> = BTreeSet::new();
        for verdict in verdicts {
            match verdict.planned.as_ref().map(|planned| &planned.plan) {
                Err(_) => counts.blocked += 1,
                Ok(Plan::Converged) => counts.converged += 1,
                Ok(Plan::Wait(_)) => counts.wait += 1,
                Ok(Plan::Unmet(_)) => counts.unmet += 1,
                Ok(Plan::Act(actions)) => {
                    counts.act += 1;
                    for action in actions {
                        match action {
                            Action::Host(host, _) => {
                                counts.on_hosts += 1;
                                hosts.insert(host);
                            }
                            Action::Api(_) => counts.in_cluster += 1,
                            Action::Operator(_) => counts.on_operator += 1,
                        }
                    }
                }
            }
        }
        counts.hosts = hosts.len();
        counts
    }

    pub const fn steps(&self) -> usize {
        self.converged + self.act + self.wait + self.unmet + self.blocked
    }

    pub const fn actions(&self) -> usize {
        self.on_hosts + self.in_cluster + self.on_operator
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.converged == self.steps() {
            return writeln!(f, "nothing to change: {} converged", several(self.converged, "step"));
        }
        if self.actions() > 0 {
            let on_hosts = format!("{} on {}", self.on_hosts, several(self.hosts, "host"));
            let parts = [(self.on_hosts, on_hosts), (self.in_cluster, format!("{} in the cluster", self.in_cluster))];
            let here = (self.on_operator, format!("{} on this machine", self.on_operator));
            let parts: Vec<_> = parts.into_iter().chain([here]).filter(|(some, _)| *some > 0).map(|(_, text)| text).collect();
            writeln!(f, "{}: {}", several(self.actions(), "action"), parts.join(", "))?;
        }
        let kinds =
            [("converged", self.converged), ("act", self.act), ("wait", self.wait), ("unmet", self.unmet), ("blocked", self.blocked)];
        let kinds: Vec<_> = kinds.iter().filter(|(_, some)| *some > 0).map(|(kind, some)| format!("{some} {kind}")).collect();
        writeln!(f, "{}: {}", several(self.steps(), "step"), kinds.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_where_there_are_any() {
        let counts = Counts { converged: 17, act: 3, blocked: 2, hosts: 2, on_hosts: 7, on_operator: 1, ..Counts::default() };
        assert_eq!(counts.to_string(), "8 actions: 7 on 2 hosts, 1 on this machine\n22 steps: 17 converged, 3 act, 2 blocked\n");
        let counts = Counts { unmet: 1, ..Counts::default() };
        assert_eq!(counts.to_string(), "1 step: 1 unmet\n");
        let counts = Counts { converged: 2, ..Counts::default() };
        assert_eq!(counts.to_string(), "nothing to change: 2 steps converged\n");
    }
}
