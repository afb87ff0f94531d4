//! Whether pods run what the inventory's images mean now (S3-130): a tag that moved restarts nobody by itself.

use std::collections::BTreeMap;

use serde_json::Value;

use super::pods::Pod;
use crate::images::full;
use crate::inventory::Inventory;
use crate::model::{Finding, HostQuestion, ImageSource, Missing, ObjectRef, OperatorQuestion, Question, Restart, View};
use crate::steps::artifact;
use crate::steps::object::list;

/// Under this a pod template is told its images. No Secret and no ConfigMap can be called so: their names have no capitals.
const READS: &str = "Images";

/// Where the images come from.
pub struct Archives(Vec<ImageSource>);

/// Ids by reference.
pub struct Meant<'a>(BTreeMap<&'a str, &'a str>);

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
        let (name, _) = list(workload, "/spec/template/spec/containers").filter(pulls).find_map(|container| self.id(container))?;
        Some(Finding::new(
            format!("{object} pulls {name} from a registry at every start (imagePullPolicy: Always); what was imported is not used"),
            "set imagePullPolicy: IfNotPresent in the chart; without one, a tag other than latest does the same",
        ))
    }

    /// What makes a workload's pods anew, and why, where one of them runs another image than its reference means by now.
    pub fn restart(&self, object: &ObjectRef, workload: &Value, pods: &[Pod<'_>]) -> Option<(String, Restart)> {
        let ids = list(workload, "/spec/template/spec/containers").filter_map(|container| self.id(container));
        let revision = ids.map(|(_, id)| id.trim_start_matches("sha256:")).collect::<Vec<_>>().join(".");
        let restart = Restart { workload: object.clone(), reads: READS.into(), revision };
        if restart.is_told(workload) {
            return None;
        }
        let reason = pods.iter().find_map(|pod| {
            pod.images().find_map(|(container, runs)| {
                let (name, id) = self.id(container)?;
                // Of an image that came from a registry the CRI tells the digest there.
                (runs != id).then(|| format!("{} runs another {name} than was imported: {}", pod.name(), runs))
            })
        })?;
        Some((reason, restart))
    }
}
