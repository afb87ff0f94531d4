//! What is found live is what a golden case says: its objects are `xtask capture`'s of the live ones, and its text is the one that is told.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::Stuck;
use super::alike::Alike;
use crate::capture::{Dump, dumps, plain};
use crate::rig::{Host, clone};

/// The rig's CAs, as the cases have them.
const CAS: [(&str, &str); 2] = [
    ("https://203.0.113.1:14000/dir", "https://acme-staging-v02.api.letsencrypt.org/directory"),
    ("https://203.0.113.1:14001/dir", "https://acme-v02.api.letsencrypt.org/directory"),
];

impl Stuck {
    /// Both, for the site that is stuck for the case's cause.
    pub fn is_as_golden(&self, host: &Host, site: &str, case: &str) -> Result<()> {
        let golden = read(&format!("diagnose/{case}"))?;
        self.is_told_as(site, golden["expect"].as_str().context("a case expects a text")?).with_context(|| case.to_owned())?;
        let base = read(&format!("bases/{}", golden["base"].as_str().context("it has a base")?))?;
        let live = dumps(host, site)?;
        let differs = compared(site, &[golden, base], &live)?;
        let lines = live.iter().map(Dump::line).collect::<Result<Vec<_>>>()?;
        ensure!(differs.is_empty(), "{case} is not what is live:\n{}\nCaptured:\n{}", differs.join("\n"), lines.join("\n"));
        Ok(())
    }

    fn is_told_as(&self, site: &str, golden: &str) -> Result<()> {
        // When it is tried again, and what the challenge is called, differs.
        let lasting = |line: &str| line.split("; cert-manager tries again").next().unwrap_or_default().replace(site, "hello");
        let of = |text: &str, word: &str| -> Vec<String> {
            text.lines().map(str::trim).filter(|line| line.starts_with(word)).map(lasting).collect()
        };
        let live = &self.told[site];
        for word in ["because ", "cure: "] {
            ensure!(of(live, word) == of(golden, word), "it says otherwise than live:\n{live}");
        }
        Ok(())
    }
}

fn read(case: &str) -> Result<Value> {
    let path = clone().join(format!("tests/cases/{case}.toml"));
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    Ok(serde_json::to_value(text.parse::<toml::Table>()?)?)
}

/// Where the case, or the base under it, has other objects than are live, of every kind that it has.
fn compared(site: &str, case: &[Value], live: &[Dump]) -> Result<Vec<String>> {
    let own = [(format!("{site}.example"), "shop.example"), (site.to_owned(), "hello")];
    let mut alike = Alike::renaming(CAS.map(|(live, case)| (live.to_owned(), case)).into_iter().chain(own).collect());
    let mut kinds = 0;
    for dump in live {
        let question = serde_json::from_str::<Value>(&alike.renamed(&dump.question().to_string()))?;
        let answers = case.iter().filter_map(|file| file["answers"].as_array()).flatten();
        let Some(stored) = answers.clone().find(|pair| pair[0] == question).and_then(|pair| pair[1]["present"]["objects"].as_array())
        else {
            continue;
        };
        kinds += 1;
        let mut stored = stored.clone();
        stored.iter_mut().for_each(plain);
        // Of what belongs to no namespace there is more on the host, and that concerns other sites.
        let mut objects = dump.objects.clone();
        objects.retain(|live| match live["metadata"]["namespace"].as_str() {
            Some(namespace) => namespace == site,
            None => stored.iter().any(|stored| stored["metadata"]["name"] == live["metadata"]["name"]),
        });
        stored.sort_by_key(|object| place(object, str::to_owned));
        objects.sort_by_key(|object| place(object, |name| alike.renamed(name)));
        let kind = question["api"]["list"]["of"]["kind"].as_str().unwrap_or_default();
        alike.compare(kind, &Value::Array(stored), &Value::Array(objects));
    }
    // All but quotas and limit ranges, which diagnosis never asks for.
    ensure!(kinds == live.len() - 2, "only {kinds} kinds were compared");
    Ok(alike.differs)
}

/// Generated names last, and by what they begin with.
fn place(object: &Value, renamed: impl Fn(&str) -> String) -> (String, String) {
    let of = |field: &str| object["metadata"][field].as_str().unwrap_or_default();
    match of("generateName") {
        "" => (String::new(), renamed(of("name"))),
        generated => (generated.to_owned(), String::new()),
    }
}
