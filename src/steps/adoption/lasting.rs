//! What a k3s with data can't change: its node's name, where its data lies, what the data is made for, and a newer version.

use super::settings::{Setting, Settings};
use crate::model::Finding;

/// What it is unless said otherwise (k3s-docs:cli/server), and whether [k3s] can say it.
enum Default {
    InInventory(&'static str),
    Fixed(&'static str),
}

use Default::{Fixed, InInventory};

const LASTING: [(&str, Default); 9] = [
    ("cluster-cidr", InInventory("10.42.0.0/16")),
    ("cluster-dns", InInventory("10.43.0.10")),
    ("cluster-domain", Fixed("cluster.local")),
    ("config", Fixed("/etc/rancher/k3s/config.yaml")),
    ("data-dir", Fixed("/var/lib/rancher/k3s")),
    ("datastore-endpoint", InInventory("")),
    ("secrets-encryption", InInventory("false")),
    ("server", Fixed("")),
    ("service-cidr", InInventory("10.43.0.0/16")),
];

/// Whether a key is told here.
pub fn is(key: &str) -> bool {
    key == "node-name" || LASTING.iter().any(|(lasting, _)| *lasting == key)
}

/// k3s can't go back to an older version.
pub fn version(there: &str, wanted: &str) -> Option<Finding> {
    let numbers = |version: &str| version.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect::<Vec<u64>>();
    (numbers(there) > numbers(wanted)).then(|| {
        let what = format!("the k3s that is there is {there}, which is newer than {wanted}");
        Finding::new(what, format!("set `k3s` in [versions] to {there} or newer: k3s can't go back"))
    })
}

/// Another name is another node.
pub fn name(there: &str, wanted: &Settings) -> Option<Finding> {
    let (there, wanted) = (there.to_lowercase(), wanted.get("node-name").map(Setting::shown).unwrap_or_default());
    (there != wanted).then(|| {
        let what = format!("its node is called {there}, and would be {wanted}: another node, without the pods and volumes of this one");
        Finding::new(what, format!("set `name = \"{there}\"` for the host"))
    })
}

/// Settings on which what is there stands.
pub fn settings(there: &Settings, wanted: &Settings) -> Vec<Finding> {
    let one = |(key, default): &(&str, Default)| {
        let (default, cure) = match default {
            InInventory(default) => (default, "say the same in [k3s]"),
            Fixed(default) => (default, "bedplate can't keep that; leave this k3s alone, or move what it runs to another"),
        };
        let value = |settings: &Settings| settings.get(*key).map_or_else(|| (*default).to_owned(), Setting::shown);
        let (now, then) = (value(there), value(wanted));
        // It comes afterwards: step `encryption`.
        let comes = *key == "secrets-encryption" && now == "false";
        (now != then && !comes).then(|| {
            let what = match (there.get(*key), crate::steps::file::is_secret(key)) {
                (_, true) => format!("its {key} is another than the inventory's (not shown)"),
                (Some(setting), false) => format!("its {}, and would be {then}", setting.told(key).replacen(" = ", " is ", 1)),
                (None, false) => format!("its {key} is {now}, and would be {then}"),
            };
            Finding::new(format!("{what}: what is there stands on it"), cure)
        })
    };
    LASTING.iter().filter_map(one).collect()
}
