//! What a k3s with data can't change: its node's name, where its data lies, what the data is made for, and a newer version.

use super::settings::{Setting, Settings};
use crate::model::Finding;
use crate::steps::hidden;

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

/// `vMAJOR.MINOR.PATCH[-rcN]+k3sN` (contract §1.1) in its order: what was tried out comes before what was released.
fn order(version: &str) -> (Vec<u64>, u64, u64) {
    let number = |text: &str| text.trim_start_matches(|c: char| !c.is_ascii_digit()).parse().unwrap_or_default();
    let (core, build) = version.split_once('+').unwrap_or((version, ""));
    let (core, tried) = core.split_once('-').map_or((core, u64::MAX), |(core, tried)| (core, number(tried)));
    (core.split('.').map(number).collect(), tried, number(build.trim_start_matches("k3s")))
}

/// k3s can't go back to an older version, and a server never skips a minor (k3s-docs:upgrades).
pub fn version(there: &str, wanted: &str) -> Option<Finding> {
    if there.is_empty() {
        return None;
    }
    let (now, then) = (order(there), order(wanted));
    if now > then {
        let what = format!("the k3s that is there is {there}, which is newer than {wanted}");
        return Some(Finding::new(what, format!("set `k3s` in [versions] to {there} or newer: k3s can't go back")));
    }
    let ([major, from, ..], [_, to, ..]) = (now.0.as_slice(), then.0.as_slice()) else { return None };
    (*to > from + 1).then(|| {
        let what = format!("the k3s that is there is {there}, and would be {wanted}: a server must not skip a minor version");
        Finding::new(what, format!("set `k3s` in [versions] to the last v{major}.{} first and run, then go on from there", from + 1))
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

/// Settings on which what is there stands, against a k3s that others made.
pub fn settings(there: &Settings, wanted: &Settings) -> Vec<Finding> {
    LASTING.iter().filter_map(|(key, default)| stands(key, default, there, wanted)).collect()
}

/// The same against a k3s of ours: what else stands in its config.yaml was added by hand, and goes. `secrets-encryption` can be turned on.
pub fn of_inventory(there: &Settings, wanted: &Settings) -> Vec<Finding> {
    let said = LASTING.iter().filter(|(key, default)| matches!(default, InInventory(_)) && *key != "secrets-encryption");
    let mend =
        |finding: Finding| Finding { cure: format!("{}; if config.yaml is what is wrong, mend it on the host", finding.cure), ..finding };
    said.filter_map(|(key, default)| stands(key, default, there, wanted)).map(mend).collect()
}

fn stands(key: &str, default: &Default, there: &Settings, wanted: &Settings) -> Option<Finding> {
    let (default, cure) = match default {
        InInventory(default) => (default, "say the same in [k3s]"),
        Fixed(default) => (default, "bedplate can't keep that; leave this k3s alone, or move what it runs to another"),
    };
    let value = |settings: &Settings| settings.get(key).map_or_else(|| (*default).to_owned(), Setting::shown);
    let (now, then) = (value(there), value(wanted));
    // It comes afterwards: step `encryption`.
    let comes = key == "secrets-encryption" && now == "false";
    (store(&now) != store(&then) && !comes).then(|| {
        let what = match (there.get(key), hidden::is_secret(key)) {
            (_, true) => format!("its {key} is another than the inventory's (not shown)"),
            (Some(setting), false) => format!("its {}, and would be {then}", setting.told(key).replacen(" = ", " is ", 1)),
            (None, false) => format!("its {key} is {now}, and would be {then}"),
        };
        Finding::new(format!("{what}: what is there stands on it"), cure)
    })
}

/// Without the login: by another one a datastore is the same.
fn store(value: &str) -> String {
    match value.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?.1))) {
        Some((scheme, place)) => format!("{scheme}://{place}"),
        None => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_go_up_and_skip_no_minor() {
        let refused = |there, wanted| version(there, wanted).map(|finding| finding.cure).unwrap_or_default();
        for (there, wanted) in [
            ("v1.35.4+k3s1", "v1.35.5+k3s1"),
            ("v1.35.5+k3s1", "v1.35.5+k3s2"),
            ("v1.35.5-rc1+k3s1", "v1.35.5+k3s1"),
            ("v1.34.9+k3s1", "v1.35.0+k3s1"),
            ("v1.35.5+k3s1", "v1.35.5+k3s1"),
            ("", "v1.35.5+k3s1"),
        ] {
            assert_eq!(refused(there, wanted), "", "{there} -> {wanted}");
        }
        for (there, wanted) in [("v1.35.5+k3s1", "v1.35.4+k3s9"), ("v1.35.10+k3s1", "v1.35.9+k3s1"), ("v1.35.5+k3s2", "v1.35.5+k3s1")] {
            assert!(refused(there, wanted).ends_with("k3s can't go back"), "{there} -> {wanted}");
        }
        assert!(refused("v1.33.12+k3s1", "v1.35.5+k3s1").contains("the last v1.34 first"));
    }

    #[test]
    fn a_datastore_is_the_same_by_another_login() {
        assert_eq!(store("mysql://k3s:one@tcp(db:3306)/k3s"), store("mysql://k3s:t@wo@tcp(db:3306)/k3s"));
        assert_ne!(store("mysql://k3s:one@tcp(db:3306)/k3s"), store("mysql://k3s:one@tcp(other:3306)/k3s"));
        assert_ne!(store(""), store("mysql://k3s:one@tcp(db:3306)/k3s"));
    }
}
