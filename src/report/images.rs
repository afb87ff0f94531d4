//! Images on the nodes: one line a reference and id.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::model::{HostId, ImageOnHost, full_reference};

/// Where an image lies, and who uses it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Row {
    size: u64,
    nodes: BTreeSet<String>,
    pinned: BTreeSet<String>,
    used_by: BTreeSet<String>,
}

/// By reference and id.
#[derive(Debug, Default)]
pub struct Images(BTreeMap<(String, String), Row>);

impl Images {
    /// What a host holds. A reference by digest is the same image once more, unless it has no other name.
    pub fn on(&mut self, host: &HostId, images: &[ImageOnHost]) {
        let has_tag = |id: &str| images.iter().any(|image| image.id == id && !image.name.contains('@'));
        for image in images.iter().filter(|image| !image.name.contains('@') || !has_tag(&image.id)) {
            let row = self.0.entry((image.name.clone(), image.id.clone())).or_default();
            row.size = image.size;
            row.nodes.insert(host.0.clone());
            if image.pinned {
                row.pinned.insert(host.0.clone());
            }
        }
    }

    /// What pods run, as the API server lists them: on their node, and by its id where that is told and not the digest that a registry has.
    pub fn used(&mut self, pods: &[Value]) {
        for pod in pods {
            let name = |place: &str| pod["metadata"][place].as_str().unwrap_or_default();
            let user = format!("{}/{}", name("namespace"), name("name"));
            let node = pod["spec"]["nodeName"].as_str();
            for (asked, told) in [("containers", "containerStatuses"), ("initContainers", "initContainerStatuses")] {
                let told =
                    |name: &Value| pod["status"][told].as_array()?.iter().find(|status| status["name"] == *name)?["imageID"].as_str();
                for container in pod["spec"][asked].as_array().into_iter().flatten() {
                    let Some(wanted) = container["image"].as_str().and_then(|image| full_reference(image).ok()) else { continue };
                    let runs = told(&container["name"]).filter(|id| id.starts_with("sha256:"));
                    let used = |(name, id): &(String, String), row: &Row| {
                        *name == wanted && runs.is_none_or(|runs| runs == id) && node.is_none_or(|node| row.nodes.contains(node))
                    };
                    for (_, row) in self.0.iter_mut().filter(|(image, row)| used(image, row)) {
                        row.used_by.insert(user.clone());
                    }
                }
            }
        }
    }

    /// For people, in columns.
    #[must_use]
    pub fn text(&self) -> String {
        let head = ["IMAGE", "ID", "SIZE", "NODES", "PINNED ON", "USED BY"].map(str::to_owned);
        let rows: Vec<[String; 6]> = std::iter::once(head).chain(self.0.iter().map(|((name, id), row)| cells(name, id, row))).collect();
        let widths: Vec<usize> =
            (0..5).map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default()).collect();
        let line = |row: &[String; 6]| {
            let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}  "));
            format!("{}{}", cells.collect::<String>(), row[5]).trim_end().to_owned() + "\n"
        };
        rows.iter().map(line).collect()
    }

    /// One object a line.
    #[must_use]
    pub fn json(&self) -> String {
        let value = |((name, id), row): (&(String, String), &Row)| {
            let Row { size, nodes, pinned, used_by } = row;
            let value = json!({ "v": 1, "event": "image", "name": name, "id": id, "size": size, "nodes": nodes, "pinned": pinned, "used_by": used_by });
            format!("{value}\n")
        };
        self.0.iter().map(value).collect()
    }
}

fn cells(name: &str, id: &str, row: &Row) -> [String; 6] {
    let names = |names: &BTreeSet<String>| if names.is_empty() { "-".to_owned() } else { Vec::from_iter(names.iter().cloned()).join(",") };
    let id = id.get(.."sha256:".len() + 12).unwrap_or(id).to_owned();
    let size = format!("{}.{} MB", row.size / 1_000_000, row.size % 1_000_000 / 100_000);
    [name.to_owned(), id, size, names(&row.nodes), names(&row.pinned), names(&row.used_by)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_told_once_with_its_nodes_and_its_pods() {
        let image = |name: &str, pinned| ImageOnHost { name: name.into(), id: "sha256:aaaaaaaaaaaaaaaa".into(), pinned, size: 5_840_000 };
        let mut images = Images::default();
        images.on(&HostId("one".into()), &[image("docker.io/shop/web:1", true), image("docker.io/shop/web@sha256:bb", true)]);
        images.on(&HostId("two".into()), &[image("docker.io/shop/web:1", false)]);
        images.used(&[json!({
            "metadata": { "namespace": "shop", "name": "web-1" },
            "spec": { "containers": [{ "image": "shop/web:1" }, { "image": "other" }] },
        })]);
        let expected = "IMAGE                 ID                   SIZE    NODES    PINNED ON  USED BY\n\
                        docker.io/shop/web:1  sha256:aaaaaaaaaaaa  5.8 MB  one,two  one        shop/web-1\n";
        assert_eq!(images.text(), expected);
        let json: Value = serde_json::from_str(&images.json()).unwrap();
        assert_eq!((&json["nodes"], &json["pinned"], &json["size"]), (&json!(["one", "two"]), &json!(["one"]), &json!(5_840_000)));
    }

    #[test]
    fn an_image_without_a_tag_is_told_by_its_digest() {
        let mut images = Images::default();
        let name = "docker.io/shop/db@sha256:bb".to_owned();
        images.on(&HostId("one".into()), &[ImageOnHost { name, id: "sha256:cccc".into(), pinned: true, size: 1 }]);
        assert!(images.text().contains("docker.io/shop/db@sha256:bb  sha256:cccc"), "{}", images.text());
    }

    #[test]
    fn who_runs_what_is_told_by_node_and_id() {
        let mut images = Images::default();
        let image = |id: &str| ImageOnHost { name: "docker.io/shop/web:1".into(), id: format!("sha256:{id}"), pinned: true, size: 1 };
        images.on(&HostId("one".into()), &[image("aaaa")]);
        images.on(&HostId("two".into()), &[image("bbbb")]);
        let pod = |name: &str, node: &str, id: &str| {
            json!({
                "metadata": { "namespace": "shop", "name": name },
                "spec": { "nodeName": node, "containers": [{ "name": "web", "image": "shop/web:1" }] },
                "status": { "containerStatuses": [{ "name": "web", "imageID": id }] },
            })
        };
        images.used(&[pod("a", "one", "sha256:aaaa"), pod("b", "two", "docker.io/shop/web@sha256:cccc"), pod("old", "two", "sha256:aaaa")]);
        let used: Vec<Vec<&str>> = images.0.values().map(|row| row.used_by.iter().map(String::as_str).collect()).collect();
        assert_eq!(used, [["shop/a"], ["shop/b"]]);
    }
}
