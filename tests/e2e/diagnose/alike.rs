//! Whether a golden case's objects are a live dump's: the same, but for what a machine makes up anew each time, and that in all places alike.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use serde_json::Value;

/// How often an object was changed before, which is another matter.
const COUNTED: [&str; 2] = ["generation", "observedGeneration"];

/// What has been compared so far.
#[derive(Default)]
pub struct Alike {
    /// Words in the live objects, and what the case has instead.
    renamed: Vec<(String, &'static str)>,
    made_up: BTreeMap<String, String>,
    back: BTreeMap<String, String>,
    /// Where they differ.
    pub differs: Vec<String>,
}

impl Alike {
    /// Live words or URLs, each with the case's.
    pub fn renaming(renamed: Vec<(String, &'static str)>) -> Self {
        Self { renamed, ..Self::default() }
    }

    /// A live text as the case has it.
    pub fn renamed(&self, live: &str) -> String {
        let one = |text: String, (live, stored): &(String, &str)| {
            let ends = |around: Option<char>| !around.is_some_and(|letter| letter.is_ascii_alphanumeric());
            let mut renamed = String::new();
            let mut rest = text.as_str();
            while let Some((before, after)) = rest.split_once(live) {
                let whole = ends(before.chars().last()) && ends(after.chars().next());
                renamed.extend([before, if whole { stored } else { live }]);
                rest = after;
            }
            renamed + rest
        };
        self.renamed.iter().fold(live.to_owned(), one)
    }

    /// Notes every place under `at` where they differ.
    pub fn compare(&mut self, at: &str, stored: &Value, live: &Value) {
        match (stored, live) {
            (Value::Object(stored), Value::Object(live)) => {
                for (name, value) in stored.iter().filter(|(name, _)| !COUNTED.contains(&name.as_str())) {
                    self.compare(&format!("{at}/{name}"), value, live.get(name).unwrap_or(&Value::Null));
                }
                for (name, value) in live.iter().filter(|(name, _)| !stored.contains_key(*name) && !COUNTED.contains(&name.as_str())) {
                    self.compare(&format!("{at}/{name}"), &Value::Null, value);
                }
            }
            (Value::Array(stored), Value::Array(live)) if stored.len() == live.len() => {
                for (number, (stored, live)) in by_type(stored).into_iter().zip(by_type(live)).enumerate() {
                    self.compare(&format!("{at}/{number}"), stored, live);
                }
            }
            (Value::String(stored), Value::String(live)) if self.texts(stored, live) => {}
            _ if stored == live => {}
            _ => self.differs.push(format!("{at}: the case has {stored}, and live is {live}")),
        }
    }

    fn texts(&mut self, stored: &str, live: &str) -> bool {
        let live = self.renamed(live);
        if stored == live || is_time(stored) && is_time(&live) || is_pods(stored) && is_pods(&live) {
            return true;
        }
        let (stored, live) = (words(stored), words(&live));
        stored.len() == live.len() && stored.iter().zip(live).all(|(stored, live)| self.word(stored, live))
    }

    fn word(&mut self, stored: &str, live: &str) -> bool {
        if stored == live {
            return true;
        }
        if is_id(stored) && is_id(live) {
            return self.stands_for(stored, live);
        }
        let (stored, live): (Vec<_>, Vec<_>) = (stored.split('-').collect(), live.split('-').collect());
        let part =
            |(stored, live): (&&str, &str)| *stored == live || is_made_up(stored) && is_made_up(live) && self.stands_for(stored, live);
        stored.len() == live.len() && stored.iter().zip(live).all(part)
    }

    /// One stands for the other everywhere, and for nothing else.
    fn stands_for(&mut self, stored: &str, live: &str) -> bool {
        let known = self.made_up.entry(stored.to_owned()).or_insert_with(|| live.to_owned()) == live;
        known && self.back.entry(live.to_owned()).or_insert_with(|| stored.to_owned()) == stored
    }
}

/// Conditions and a CA's challenges come in any order.
fn by_type(list: &[Value]) -> Vec<&Value> {
    let mut list: Vec<&Value> = list.iter().collect();
    list.sort_by_key(|one| one["type"].as_str().unwrap_or_default());
    list
}

/// What a name may consist of, whole; whatever stands between, by itself.
fn words(text: &str) -> Vec<&str> {
    let of_name = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
    let parts = text.split_inclusive(|letter| !of_name(letter));
    parts.flat_map(|part| <[&str; 2]>::from(part.split_at(part.trim_end_matches(|letter| !of_name(letter)).len()))).collect()
}

fn is_time(text: &str) -> bool {
    text.replace(|letter: char| letter.is_ascii_digit(), "0") == "0000-00-00T00:00:00Z"
}

/// Of the range that pods have their addresses from.
fn is_pods(text: &str) -> bool {
    text.parse::<Ipv4Addr>().is_ok_and(|address| address.octets()[..2] == [10, 42])
}

/// A uid, or 32 random bytes in base64url, as ACME's tokens and thumbprints are.
fn is_id(word: &str) -> bool {
    let parts: Vec<usize> = word.split('-').map(str::len).collect();
    word.len() == 43 || parts == [8, 4, 4, 4, 12] && word.chars().all(|letter| letter == '-' || letter.is_ascii_hexdigit())
}

/// A hash, or the end of a generated name.
fn is_made_up(part: &str) -> bool {
    let digit = |letter: char| letter.is_ascii_digit();
    // Pebble writes an account's 64 bits without the zeros before them.
    let hex = part.chars().all(|letter| letter.is_ascii_hexdigit());
    part.len() >= 6 && part.chars().all(digit)
        || part.len() >= 11 && hex && part.contains(digit)
        || part.len() >= 16 && part.contains(digit)
        || part.len() == 5 && part.chars().all(|letter| "bcdfghjklmnpqrstvwxz2456789".contains(letter))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn differs(live: Value) -> Vec<String> {
        let stored = json!([
            { "name": "hello-tls-1-3969941905", "generation": 1, "uid": "b89134e2-eb2b-473e-bcc7-0f1e6f067370", "since": "2026-01-01T00:00:00Z" },
            { "owner": "b89134e2-eb2b-473e-bcc7-0f1e6f067370", "said": "pods \"cm-acme-http-solver-wwq5q\" is forbidden: none", "ip": "10.42.0.21",
              "conditions": [{ "type": "Issuing", "status": "True" }, { "type": "Ready", "status": "False" }] }
        ]);
        let mut alike = Alike::renaming(vec![("shut".to_owned(), "hello")]);
        alike.compare("", &stored, &live);
        alike.differs
    }

    fn live() -> Value {
        json!([
            { "name": "shut-tls-1-88213904", "generation": 3, "uid": "c0e23a10-d3fb-4440-b3d9-630e0977b456", "since": "2026-11-22T05:20:51Z" },
            { "owner": "c0e23a10-d3fb-4440-b3d9-630e0977b456", "said": "pods \"cm-acme-http-solver-zcvbn\" is forbidden: none", "ip": "10.42.0.7",
              "conditions": [{ "type": "Ready", "status": "False" }, { "type": "Issuing", "status": "True" }] }
        ])
    }

    #[test]
    fn what_a_machine_makes_up_may_differ() {
        assert_eq!(differs(live()), Vec::<String>::new());
    }

    #[test]
    fn a_name_is_renamed_where_it_is_a_word() {
        let alike = Alike::renaming(vec![("full.example".to_owned(), "shop.example"), ("full".to_owned(), "hello")]);
        assert_eq!(alike.renamed("full/full-tls of full.example: successfully"), "hello/hello-tls of shop.example: successfully");
    }

    #[test]
    fn an_accounts_number_may_be_shorter() {
        let mut alike = Alike::default();
        alike.compare("", &json!("https://ca/my-account/606f330a19ff03cf"), &json!("https://ca/my-account/eeee558f36c8ef2"));
        assert_eq!(alike.differs, Vec::<String>::new());
    }

    #[test]
    fn nothing_else_may() {
        let other = [
            ("/0/name", json!("shut-tls-2-88213904")),
            ("/0/since", json!("today")),
            ("/1/owner", json!("3736d3ff-0d2a-49fe-a413-f27d66e054a4")),
            ("/1/said", json!("pods \"cm-acme-http-solver-zcvbn\" is forbidden: quota")),
            ("/1/ip", json!("203.0.113.10")),
            ("/1/conditions/1/status", json!("False")),
        ];
        for (place, value) in other {
            let mut live = live();
            *live.pointer_mut(place).unwrap() = value;
            assert_eq!(differs(live).len(), 1, "{place}");
        }
        let mut more = live();
        more[0]["deletionTimestamp"] = "2026-11-22T05:20:51Z".into();
        more[1].as_object_mut().unwrap().remove("ip");
        assert_eq!(differs(more).len(), 2);
    }
}
