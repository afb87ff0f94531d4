//! What the pods of a workload say of themselves.

use std::time::Duration;

use serde_json::Value;

use crate::model::ObjectRef;
use crate::steps::object::condition;

/// How long after its last crash a container counts as falling over still, seconds.
const RECENT: i64 = 600;
/// containerd's reason for an end that nobody saw: it was down itself, as when the host boots (containerd 2.2, internal/cri/server/helpers.go).
const UNSEEN: &str = "Unknown";
/// Longest message that is passed on.
const SHOWN: usize = 200;

/// All pods of a namespace.
pub fn all(namespace: &str) -> ObjectRef {
    ObjectRef::new("v1", "Pod", namespace, "")
}

/// The containers of a pod's spec, those that prepare it first.
pub fn containers(spec: &Value) -> impl Iterator<Item = &Value> {
    ["initContainers", "containers"].into_iter().flat_map(|name| spec[name].as_array()).flatten()
}

/// Those of `pods` that a workload selects by labels.
pub fn of<'a>(workload: &Value, pods: &'a [Value]) -> Vec<Pod<'a>> {
    let wanted = workload["spec"]["selector"]["matchLabels"].as_object();
    let selected =
        |pod: &&Value| wanted.is_some_and(|wanted| wanted.iter().all(|(key, value)| pod["metadata"]["labels"].get(key) == Some(value)));
    pods.iter().filter(selected).map(Pod).collect()
}

/// One pod as the API server has it.
pub struct Pod<'a>(&'a Value);

/// How a pod's crashes are judged.
#[derive(Debug, PartialEq, Eq)]
pub enum Crashes {
    /// None, or of the first boot, or long ago.
    Forgiven,
    /// It ran, and fell over a short while ago.
    New(String),
    /// More than are forgiven, and it goes on.
    TooMany(String),
}

impl<'a> Pod<'a> {
    /// A pod by itself.
    pub fn of(pod: &'a Value) -> Self {
        Self(pod)
    }

    /// All that the API server says of it.
    pub fn body(&self) -> &'a Value {
        self.0
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.0["metadata"]["name"].as_str().unwrap_or_default()
    }

    fn containers(&self) -> impl Iterator<Item = &Value> {
        ["initContainerStatuses", "containerStatuses"].iter().flat_map(|list| self.0["status"][*list].as_array()).flatten()
    }

    /// Its containers as its spec has them, and the image that each runs.
    pub fn images(&self) -> impl Iterator<Item = (&Value, &str)> {
        containers(&self.0["spec"]).filter_map(|container| {
            let status = self.containers().find(|status| status["name"] == container["name"])?;
            Some((container, status["imageID"].as_str().filter(|id| !id.is_empty())?))
        })
    }

    /// Whether none of its containers will run again.
    pub fn has_ended(&self) -> bool {
        matches!(self.0["status"]["phase"].as_str(), Some("Succeeded" | "Failed"))
    }

    /// Whether it has ended, or is about to: what it runs, another one need not.
    pub fn goes(&self) -> bool {
        self.has_ended() || self.0["metadata"].get("deletionTimestamp").is_some()
    }

    /// The node that it is on.
    pub fn node(&self) -> Option<&str> {
        self.0["spec"]["nodeName"].as_str()
    }

    /// Seconds since kubelet took it.
    pub fn age(&self, now: i64) -> i64 {
        seconds(&self.0["status"]["startTime"]).map_or(0, |started| now - started)
    }

    /// Why it does not run: a container that waits, with how its last run ended, or why it is not scheduled.
    pub fn trouble(&self) -> Option<String> {
        let waits = self.containers().find_map(|container| {
            let waiting = &container["state"]["waiting"];
            let reason = waiting["reason"].as_str().filter(|reason| !matches!(*reason, "ContainerCreating" | "PodInitializing"))?;
            let ended = &container["lastState"]["terminated"];
            let message = [&waiting["message"], &ended["message"]].iter().find_map(|message| message.as_str()).unwrap_or_default();
            let code = ended["exitCode"].as_i64().map(|code| format!(", last exit code {code}")).unwrap_or_default();
            let restarts = container["restartCount"].as_i64().filter(|count| *count > 0).map(|count| format!(", {count} restarts"));
            Some(format!("{}: {reason}{code}{} {}", self.name(), restarts.unwrap_or_default(), cut(message)).trim_end().to_owned())
        });
        waits.or_else(|| {
            let unscheduled = condition(self.0, "PodScheduled").filter(|scheduled| scheduled["status"] == "False")?;
            Some(format!("{}: {}", self.name(), cut(unscheduled["message"].as_str().unwrap_or_default())))
        })
    }

    /// Judges the restarts of its containers at `now`, seconds since the epoch: within `boot` of its start as many as `budget` are
    /// forgiven; afterwards none is. A host that went down with them is no crash of theirs.
    pub fn crashes(&self, now: i64, budget: u32, boot: Duration) -> Crashes {
        let started = seconds(&self.0["status"]["startTime"]).unwrap_or(now);
        let ends = self.containers().map(|container| &container["lastState"]["terminated"]).filter(|end| end["reason"] != UNSEEN);
        let last = ends.filter_map(|end| seconds(&end["finishedAt"])).max();
        let Some(last) = last.filter(|last| now - last < RECENT) else { return Crashes::Forgiven };
        let restarts = self.containers().filter_map(|container| container["restartCount"].as_i64()).max().unwrap_or(0);
        if restarts > i64::from(budget) {
            return Crashes::TooMany(format!("pod {} restarted {restarts} times, the last time {} s ago", self.name(), now - last));
        }
        if last - started > i64::try_from(boot.as_secs()).unwrap_or(i64::MAX) {
            return Crashes::New(format!("pod {} fell over {} s ago", self.name(), now - last));
        }
        Crashes::Forgiven
    }
}

fn seconds(time: &Value) -> Option<i64> {
    time.as_str()?.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second)
}

fn cut(message: &str) -> String {
    message.trim().chars().take(SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const BOOT: Duration = Duration::from_secs(240);

    fn pod(restarts: i64, finished: &str) -> Value {
        json!({
            "metadata": { "name": "auth-1", "labels": { "app": "auth" } },
            "status": { "startTime": "2026-01-01T00:00:00Z", "containerStatuses": [{
                "restartCount": restarts, "lastState": { "terminated": { "finishedAt": finished, "exitCode": 1 } },
                "state": { "waiting": { "reason": "CrashLoopBackOff", "message": "back-off 20s" } },
            }] },
        })
    }

    fn at(text: &str) -> i64 {
        text.parse::<jiff::Timestamp>().unwrap().as_second()
    }

    #[test]
    fn crashes_of_the_first_boot_are_forgiven_up_to_the_budget() {
        let now = at("2026-01-01T00:04:00Z");
        assert_eq!(Pod(&pod(3, "2026-01-01T00:02:00Z")).crashes(now, 5, BOOT), Crashes::Forgiven);
        let many = Pod(&pod(6, "2026-01-01T00:02:00Z")).crashes(now, 5, BOOT);
        assert_eq!(many, Crashes::TooMany("pod auth-1 restarted 6 times, the last time 120 s ago".into()));
    }

    #[test]
    fn a_pod_that_ran_and_falls_over_is_told_until_it_is_long_ago() {
        let fell = pod(1, "2026-01-01T12:00:00Z");
        assert_eq!(Pod(&fell).crashes(at("2026-01-01T12:01:00Z"), 5, BOOT), Crashes::New("pod auth-1 fell over 60 s ago".into()));
        assert_eq!(Pod(&fell).crashes(at("2026-01-01T12:10:00Z"), 5, BOOT), Crashes::Forgiven);
    }

    #[test]
    fn a_waiting_container_tells_why() {
        let told = Pod(&pod(3, "2026-01-01T00:02:00Z")).trouble().unwrap();
        assert_eq!(told, "auth-1: CrashLoopBackOff, last exit code 1, 3 restarts back-off 20s");
    }

    #[test]
    fn pods_are_told_apart_by_labels() {
        let pods = [pod(0, ""), json!({ "metadata": { "name": "web-1", "labels": { "app": "web" } } })];
        let workload = json!({ "spec": { "selector": { "matchLabels": { "app": "web" } } } });
        assert_eq!(of(&workload, &pods).iter().map(Pod::name).collect::<Vec<_>>(), ["web-1"]);
    }
}
