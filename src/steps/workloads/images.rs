//! Whether pods run what the inventory's images mean now: a tag that moved restarts nobody by itself. On a node of another kind of
//! machine than the server's an image has another id.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use super::pods::{Pod, containers};
use crate::inventory::Inventory;
use crate::model::{
    ApiQuestion, Finding, HostQuestion, ImageSource, Missing, ObjectRef, OperatorQuestion, Question, Restart, View, full_reference,
};
use crate::steps::artifact;

/// Under this a pod template is told its images. No Secret and no ConfigMap can be called so: their names have no capitals.
const READS: &str = "Images";

/// Behind the ids once they were told already. A pod may have come to a node later that did not have the image yet.
const AGAIN: &str = "again";

/// Where the images come from.
pub struct Archives(Vec<ImageSource>);

/// Ids by reference.
type Ids<'a> = BTreeMap<&'a str, &'a str>;

/// What references mean.
pub struct Meant<'a> {
    /// On machines like the server.
    own: Ids<'a>,
    /// On other nodes, by name. Of one that nobody can tell of, nothing is known.
    others: BTreeMap<&'a str, Ids<'a>>,
}

/// What a pod asks for that runs a former image.
pub enum Outdated {
    /// Why, and what makes the pods anew.
    Anew(String, Restart),
    /// It has just been made, and another would be no better.
    Still(Finding),
}

impl Archives {
    pub fn of(inventory: &Inventory) -> Self {
        Self(inventory.images.values().flat_map(|image| image.sources().collect::<Vec<_>>()).collect())
    }

    /// `pods`: whatever runs where the workloads do.
    pub fn questions(&self, seen: &View<'_>, pods: &[Value]) -> Vec<Question> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let mut questions = vec![seen.ask(HostQuestion::Facts)];
        let Ok(machine) = artifact::machine(seen, "image") else { return questions };
        questions.extend(self.asked(machine));
        for node in nodes(pods) {
            questions.push(Question::Api(ApiQuestion::Object(object(node))));
            questions.extend(arch(seen, node).ok().flatten().filter(|arch| *arch != machine).into_iter().flat_map(|arch| self.asked(arch)));
        }
        questions
    }

    fn asked(&self, arch: &str) -> Vec<Question> {
        self.0.iter().map(|source| Question::Operator(OperatorQuestion::Image(source.clone(), arch.into()))).collect()
    }

    /// What they mean where these pods run. The images step is before this one: what is absent here has been said there.
    pub fn meant<'a>(&self, seen: &View<'a>, pods: &'a [Value]) -> Result<Meant<'a>, Missing> {
        let mut meant = Meant { own: Ids::new(), others: BTreeMap::new() };
        if self.0.is_empty() {
            return Ok(meant);
        }
        let machine = artifact::machine(seen, "image")?;
        meant.own = self.ids(seen, machine)?;
        for node in nodes(pods) {
            let arch = arch(seen, node)?;
            if arch != Some(machine) {
                meant.others.insert(node, arch.and_then(|arch| self.ids(seen, arch).ok()).unwrap_or_default());
            }
        }
        Ok(meant)
    }

    fn ids<'a>(&self, seen: &View<'a>, arch: &str) -> Result<Ids<'a>, Missing> {
        let mut ids = Ids::new();
        for source in &self.0 {
            let archive = seen.image(source, arch)?;
            ids.extend(archive.into_iter().flat_map(|archive| archive.names.iter().map(|name| (name.as_str(), archive.id.as_str()))));
        }
        Ok(ids)
    }
}

/// Where pods are.
fn nodes(pods: &[Value]) -> BTreeSet<&str> {
    pods.iter().filter_map(|pod| pod["spec"]["nodeName"].as_str()).collect()
}

fn object(node: &str) -> ObjectRef {
    ObjectRef::new("v1", "Node", "", node)
}

/// A node's kind of machine (kubernetes: well-known labels, kubernetes.io/arch).
fn arch<'a>(seen: &View<'a>, node: &str) -> Result<Option<&'a str>, Missing> {
    Ok(seen.object(&object(node))?.and_then(|node| node["metadata"]["labels"]["kubernetes.io/arch"].as_str()))
}

/// The image that a container's reference means, in full, and its id.
fn meant<'a>(ids: &Ids<'a>, container: &Value) -> Option<(String, &'a str)> {
    let name = full_reference(container["image"].as_str()?).ok()?;
    let id = *ids.get(name.as_str())?;
    Some((name, id))
}

impl Meant<'_> {
    /// An image of ours that a workload wants pulled at every start.
    pub fn pulled(&self, object: &ObjectRef, workload: &Value) -> Option<Finding> {
        let pulls = |container: &&Value| container["imagePullPolicy"] == "Always";
        let (name, _) = template(workload).filter(pulls).find_map(|container| meant(&self.own, container))?;
        Some(Finding::new(
            format!("{object} pulls {name} from a registry at every start (imagePullPolicy: Always); what was imported is not used"),
            "set imagePullPolicy: IfNotPresent in the chart; without one, a tag other than latest does the same",
        ))
    }

    /// What a pod asks for that runs another image than its reference means by now. `within`: so long a rollout may take.
    pub fn outdated(&self, object: &ObjectRef, workload: &Value, pods: &[Pod<'_>], now: i64, within: Duration) -> Option<Outdated> {
        let ids = template(workload).filter_map(|container| meant(&self.own, container));
        let revision = ids.map(|(_, id)| id.trim_start_matches("sha256:")).collect::<Vec<_>>().join(".");
        let restart = |revision: String| Restart { workload: object.clone(), reads: READS.into(), revision };
        let (first, again) = (restart(revision.clone()), restart(format!("{revision}.{AGAIN}")));
        let told = [&first, &again].into_iter().find(|restart| restart.is_told(workload));
        // Of an image that came from a registry the CRI tells the digest there, and no restart makes that the id.
        let differs = |runs: &str, id: &str| runs != id && (told.is_none() || runs.starts_with("sha256:"));
        // One from before is about to go, though the list may not say so yet.
        let stays = |pod: &&Pod<'_>| !pod.goes() && told.is_none_or(|restart| restart.marks(pod.body()));
        let (pod, what) = pods.iter().filter(stays).find_map(|pod| {
            let ids = pod.node().and_then(|node| self.others.get(node)).unwrap_or(&self.own);
            pod.images().find_map(|(container, runs)| {
                let (name, id) = meant(ids, container)?;
                let at = pod.node().map(|node| format!(" on {node}")).unwrap_or_default();
                differs(runs, id).then(|| (pod, format!("{}{at} runs another {name} than was imported: {runs}", pod.name())))
            })
        })?;
        let age = pod.age(now);
        if told.is_some() && age < i64::try_from(within.as_secs()).unwrap_or(i64::MAX) {
            let (node, namespace, kind) = (pod.node().unwrap_or("its node"), &object.namespace, object.kind.to_lowercase());
            return Some(Outdated::Still(Finding::new(
                format!("{what}; it started {age} s ago, when {object} had been restarted for that already"),
                format!(
                    "see with `bedplate images ls` that {node} has it; then: kubectl -n {namespace} rollout restart {kind} {}",
                    object.name
                ),
            )));
        }
        Some(Outdated::Anew(what, if first.is_told(workload) { again } else { first }))
    }
}

fn template(workload: &Value) -> impl Iterator<Item = &Value> {
    containers(&workload["spec"]["template"]["spec"])
}
