//! k3s' settings by key, wherever they stand (contract §2.1): flags beat the file, and a flag replaces the file's list.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::inventory::parts;
use crate::steps::hidden::is_hidden;

/// By key, as in `config.yaml`.
pub type Settings = BTreeMap<String, Setting>;

/// One setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its values; one for what is no list.
    pub items: Vec<String>,
    /// `ExecStart`, `config.yaml` or the inventory.
    place: &'static str,
}

impl Setting {
    /// Its values side by side.
    pub fn shown(&self) -> String {
        self.items.join(", ")
    }

    fn is_hidden(&self, key: &str) -> bool {
        is_hidden(key, &Value::String(self.shown()))
    }

    /// The same, unless that is a secret.
    pub fn value(&self, key: &str) -> String {
        if self.is_hidden(key) { "another (not shown)".into() } else { self.shown() }
    }

    /// Key, value and place.
    pub fn told(&self, key: &str) -> String {
        if self.is_hidden(key) {
            format!("{key} (in {}; not shown)", self.place)
        } else {
            format!("{key} = {} (in {})", self.shown(), self.place)
        }
    }
}

/// Flags with one letter (k3s-docs:cli/server).
const SHORT: [(&str, &str); 5] = [("c", "config"), ("d", "data-dir"), ("o", "write-kubeconfig"), ("s", "server"), ("t", "token")];

/// Arguments of `k3s server`: `--key value`, `--key=value`, or `--key` alone.
pub fn of_flags(words: &[String]) -> Settings {
    let mut found = Settings::new();
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        let Some(flag) = word.strip_prefix("--").or_else(|| word.strip_prefix('-')) else { continue };
        let (key, value) = match flag.split_once('=') {
            Some((key, value)) => (key, value.to_owned()),
            None => (flag, words.next_if(|next| !next.starts_with('-')).cloned().unwrap_or_else(|| "true".into())),
        };
        let key = SHORT.iter().find(|(short, _)| *short == key).map_or(key, |(_, long)| long);
        let setting = found.entry(key.to_owned()).or_insert_with(|| Setting { items: Vec::new(), place: "ExecStart" });
        setting.items.extend(items(&Value::String(value)));
    }
    found
}

/// A `config.yaml`; `None`: it is no YAML map.
pub fn of_file(text: &str) -> Option<Settings> {
    let map: Option<BTreeMap<String, Value>> = serde_saphyr::from_str(text).ok()?;
    Some(named("config.yaml", map.unwrap_or_default().iter().map(|(key, value)| (key.trim_end_matches('+'), value))))
}

/// What we write into `config.yaml`.
pub fn of_keys(keys: BTreeMap<&str, Value>) -> Settings {
    named("the inventory", keys.iter().map(|(key, value)| (*key, value)))
}

fn named<'a>(place: &'static str, keys: impl Iterator<Item = (&'a str, &'a Value)>) -> Settings {
    keys.map(|(key, value)| (key.to_owned(), Setting { items: items(value), place })).collect()
}

/// The file's settings under the flags'.
pub fn merged(file: Settings, flags: Settings) -> Settings {
    let mut all = file;
    all.extend(flags);
    all
}

fn items(value: &Value) -> Vec<String> {
    match value {
        Value::Array(list) => list.iter().flat_map(items).collect(),
        Value::String(_) => parts(value).into_iter().map(str::to_owned).collect(),
        Value::Null => Vec::new(),
        other => vec![other.to_string()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(line: &str) -> Vec<(String, String)> {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        of_flags(&words).iter().map(|(key, setting)| (key.clone(), setting.shown())).collect()
    }

    #[test]
    fn flags_are_read_in_all_their_forms() {
        let of = |pairs: &[(&str, &str)]| pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect::<Vec<_>>();
        let seen = flags("--disable traefik --disable=servicelb,coredns --debug -t x");
        assert_eq!(seen, of(&[("debug", "true"), ("disable", "traefik, servicelb, coredns"), ("token", "x")]));
    }

    #[test]
    fn a_flag_replaces_the_files_list() {
        let file = of_file("tls-san: [a, b]\nnode-label+: [c]\n").unwrap();
        let all = merged(file, of_flags(&["--tls-san=c".into()]));
        assert_eq!(all["tls-san"].told("tls-san"), "tls-san = c (in ExecStart)");
        assert_eq!(all["node-label"].told("node-label"), "node-label = c (in config.yaml)");
        assert_eq!((of_file("- a"), of_file("").map(|settings| settings.len())), (None, Some(0)));
    }

    #[test]
    fn no_secret_is_shown() {
        let told = of_flags(&["--datastore-endpoint=hunter2".into()])["datastore-endpoint"].told("datastore-endpoint");
        assert_eq!(told, "datastore-endpoint (in ExecStart; not shown)");
    }
}
