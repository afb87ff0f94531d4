//! What a helm upgrade would change among the objects of a release, as its dry run renders them.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::{Finding, LiveRelease, Manifest, Missing, Note, ObjectRef, ReleaseUpgrade, View, Why};

use super::drift;

/// Most differences that a plan shows: a chart's version stands in the labels of all its objects.
const SHOWN: usize = 40;

/// The objects of a manifest. Hooks are helm's own: they come and go.
pub fn manifests(objects: &[Value]) -> impl Iterator<Item = Manifest> {
    objects
        .iter()
        .filter(|object| object.pointer("/metadata/annotations").and_then(|notes| notes.get("helm.sh/hook")).is_none())
        .filter_map(|object| Manifest::new(object.clone()))
}

/// One line a difference between the live revision and the one that would be; a note if helm could not tell.
pub fn changes(seen: &View<'_>, live: &LiveRelease, upgrade: &ReleaseUpgrade) -> (Vec<String>, Option<Note>) {
    match seen.helm_dry_run(upgrade) {
        Ok(rendered) => (between(&live.objects, rendered.map(Vec::as_slice).unwrap_or_default()), None),
        Err(Missing { why: Why::Unreadable(reason), .. }) => {
            let cure = "see what it says: the upgrade itself may fail like that";
            (Vec::new(), Some(Note::Warning(Finding::new(format!("helm could not show what would change: {reason}"), cure))))
        }
        Err(_) => (Vec::new(), None),
    }
}

fn between(before: &[Value], after: &[Value]) -> Vec<String> {
    let by_name = |objects| manifests(objects).map(|manifest| (manifest.object().clone(), manifest)).collect::<BTreeMap<ObjectRef, _>>();
    let (before, after) = (by_name(before), by_name(after));
    let come = after.keys().filter(|object| !before.contains_key(object)).map(|object| format!("{object} is added"));
    let go = before.keys().filter(|object| !after.contains_key(object)).map(|object| format!("{object} is removed"));
    let both = before.iter().filter_map(|(object, before)| Some((object, before, after.get(object)?)));
    let change = both.flat_map(|(object, before, after)| drift::between(object, before.body(), after.body()));
    let mut told: Vec<String> = come.chain(go).chain(change).collect();
    if let Some(more) = told.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        told.truncate(SHOWN);
        told.push(format!("… and {more} differences more"));
    }
    told
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn deployment(name: &str, replicas: usize) -> Value {
        json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": name, "namespace": "shop" }, "spec": { "replicas": replicas } })
    }

    #[test]
    fn objects_come_go_and_change() {
        let (before, after) = ([deployment("a", 1), deployment("b", 1)], [deployment("b", 2), deployment("c", 1)]);
        let told = ["deployment shop/c is added", "deployment shop/a is removed", "deployment shop/b: spec.replicas 1 -> 2"];
        assert_eq!(between(&before, &after), told);
    }

    #[test]
    fn no_more_is_told_than_can_be_read() {
        let many: Vec<Value> = (0..50).map(|n| deployment(&format!("d{n}"), 1)).collect();
        let told = between(&[], &many);
        assert_eq!((told.len(), told.last().unwrap().as_str()), (SHOWN + 1, "… and 10 differences more"));
    }
}
