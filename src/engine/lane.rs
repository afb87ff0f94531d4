//! Which steps follow one another, and which may go on side by side.

use std::collections::BTreeMap;

use super::Verdict;
use crate::model::{HostId, Scope};

/// Steps that follow one another. An agent's step waits for what stands before it in the main lane; a step of the cluster or of the
/// operator's side waits for everything before it. So agents go on side by side, and one that lags or fails holds up no other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// The operator's side, the cluster and its first server.
    Main,
    /// Another host.
    Host(HostId),
}

impl Lane {
    /// The lane of a step.
    pub fn of(scope: &Scope, server: &HostId) -> Self {
        match scope {
            Scope::Host(host) if host != server => Self::Host(host.clone()),
            Scope::Host(_) | Scope::Cluster | Scope::Operator => Self::Main,
        }
    }
}

/// Each lane's first step that is not converged, by its place in the flow. A lane whose host was set aside has none.
pub fn heads(verdicts: &[Verdict], server: &HostId) -> BTreeMap<Lane, usize> {
    let mut heads = BTreeMap::new();
    for (place, verdict) in verdicts.iter().enumerate() {
        let lane = Lane::of(&verdict.scope, server);
        let aside = lane != Lane::Main && verdict.lost().is_some();
        if !verdict.converged() && !aside {
            heads.entry(lane).or_insert(place);
        }
    }
    heads
}

/// Those heads for which nothing before them is waited for.
pub fn ready(heads: &BTreeMap<Lane, usize>, verdicts: &[Verdict]) -> BTreeMap<Lane, usize> {
    let main = heads.get(&Lane::Main).copied().unwrap_or(usize::MAX);
    let first = heads.values().copied().min().unwrap_or_default();
    let free = |lane: &Lane, place: usize| match lane {
        Lane::Host(_) => place < main,
        Lane::Main => place == first || matches!(verdicts[place].scope, Scope::Host(_)),
    };
    heads.iter().filter(|(lane, place)| free(lane, **place)).map(|(lane, place)| (lane.clone(), *place)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Condition, Plan, StepId};
    use std::time::Duration;

    fn verdicts(scopes: &[&str]) -> Vec<Verdict> {
        let waits = Condition { what: String::new(), seen: String::new(), cure: String::new(), within: Duration::ZERO };
        let scope = |name: &str| if name == "cluster" { Scope::Cluster } else { Scope::Host(HostId(name.into())) };
        let open = |scope| Verdict { scope, step: StepId::of("a"), planned: Ok(Plan::Wait(waits.clone()).into()) };
        scopes.iter().map(|name| open(scope(name))).collect()
    }

    fn places(scopes: &[&str]) -> Vec<usize> {
        let (verdicts, server) = (verdicts(scopes), HostId("server".into()));
        ready(&heads(&verdicts, &server), &verdicts).into_values().collect()
    }

    #[test]
    fn agents_wait_for_the_server_and_not_for_one_another() {
        assert_eq!(places(&["server", "a", "b"]), [0]);
        assert_eq!(places(&["a", "b", "a", "server"]), [3, 0, 1]);
    }

    #[test]
    fn the_cluster_waits_for_every_agent_before_it() {
        assert_eq!(places(&["a", "cluster", "b"]), [0]);
        assert_eq!(places(&["cluster", "a"]), [0]);
    }
}
