//! Whether pods run what the inventory's images mean now (S3-130): a tag that moved restarts nobody by itself.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::pods::{Pod, containers};
use crate::images::full;
use crate::inventory::Inventory;
use crate::model::{Finding, HostQuestion, ImageSource, Missing, ObjectRef, OperatorQuestion, Question, Restart, View};
use crate::steps::artifact;

/// Under this a pod template is told its images. No Secret and no ConfigMap can be called so: their names have no capitals.
const READS: &str = "Images";

/// Behind the ids once they were told already. A pod may have come to a node later that did not have the image yet.
const AGAIN: &str = "again";

/// Where the images come from.
pub struct Archives(Vec<ImageSource>);

/// Ids by reference.
pub struct Meant<'a>(BTreeMap<&'a str, &'a str>);

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

    pub fn questions(&self, seen: &View<'_>) -> Vec<Question> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let image = |source: &ImageSource, arch: &str| Question::Operator(OperatorQuestion::Image(source.clone(), arch.into()));
        let images = artifact::machine(seen, "image").map(|arch| self.0.iter().map(|source| image(source, arch)).collect());
        std::iter::once(seen.ask(HostQuestion::Facts)).chain(images.unwrap_or_else(|_| Vec::new())).collect()
    }

    /// What they hold for the server's kind of machine. The images step is before this one: what is absent here has been said there.
    pub fn meant<'a>(&self, seen: &View<'a>) -> Result<Meant<'a>, Missing> {
        let mut meant = BTreeMap::new();
        for source in &self.0 {
            let archive = seen.image(source, artifact::machine(seen, "image")?)?;
            meant.extend(archive.into_iter().flat_map(|archive| archive.names.iter().map(|name| (name.as_str(), archive.id.as_str()))));
        }
        Ok(Meant(meant))
    }
}

impl Meant<'_> {
    /// The id of the image that a container's reference means.
    fn id(&self, container: &Value) -> Option<(String, &str)> {
        let name = full(container["image"].as_str()?).ok()?;
        let id = *self.0.get(name.as_str())?;
        Some((name, id))
    }

    /// An image of ours that a workload wants pulled at every start.
    pub fn pulled(&self, object: &ObjectRef, workload: &Value) -> Option<Finding> {
        let pulls = |container: &&Value| container["imagePullPolicy"] == "Always";
        let (name, _) = template(workload).filter(pulls).find_map(|container| self.id(container))?;
        Some(Finding::new(
            format!("{object} pulls {name} from a registry at every start (imagePullPolicy: Always); what was imported is not used"),
            "set imagePullPolicy: IfNotPresent in the chart; without one, a tag other than latest does the same",
        ))
    }

    /// What a pod asks for that runs another image than its reference means by now. `within`: so long a rollout may take.
    pub fn outdated(&self, object: &ObjectRef, workload: &Value, pods: &[Pod<'_>], now: i64, within: Duration) -> Option<Outdated> {
        let ids = template(workload).filter_map(|container| self.id(container));
        let revision = ids.map(|(_, id)| id.trim_start_matches("sha256:")).collect::<Vec<_>>().join(".");
        let restart = |revision: String| Restart { workload: object.clone(), reads: READS.into(), revision };
        let (first, again) = (restart(revision.clone()), restart(format!("{revision}.{AGAIN}")));
        let told = first.is_told(workload) || again.is_told(workload);
        // Of an image that came from a registry the CRI tells the digest there, and no restart makes that the id.
        let differs = |runs: &str, id: &str| runs != id && (!told || runs.starts_with("sha256:"));
        let (pod, what) = pods.iter().filter(|pod| !pod.goes()).find_map(|pod| {
            pod.images().find_map(|(container, runs)| {
                let (name, id) = self.id(container)?;
                let at = pod.node().map(|node| format!(" on {node}")).unwrap_or_default();
                differs(runs, id).then(|| (pod, format!("{}{at} runs another {name} than was imported: {runs}", pod.name())))
            })
        })?;
        let age = pod.age(now);
        if told && age < i64::try_from(within.as_secs()).unwrap_or(i64::MAX) {
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
