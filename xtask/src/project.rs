//! A scratch project: the example inventory, the demo application, and the overlay that makes both fit the rig.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use toml::{Table, Value};

use crate::build::Pin;
use crate::rig::{Acme, Host, Operator, Rig, ca_root, plain, registry};
use crate::run::run;

/// The inventory that users start from.
const EXAMPLE: &str = include_str!("../../inventory.example.toml");

/// A project in the operator's home.
pub struct Project {
    /// Where it lies.
    pub folder: PathBuf,
    /// What `inventory.toml` says there.
    pub inventory: Table,
}

impl Project {
    /// Writes the example as a project called `name`, for `host`, with the rig's own sums in `bedplate.lock`. One of that
    /// name that is there already is replaced.
    pub fn scratch(rig: &Rig, host: &Host, name: &str) -> Result<Self> {
        let folder = rig.operator.home().join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        for part in ["dist", "rig"] {
            fs::create_dir_all(folder.join(part))?;
        }
        let demo = crate::rig::clone().join("tests/demo");
        run(Command::new("cp").arg("-r").arg(demo.join("deploy")).arg(&folder))?;
        fs::copy(demo.join("dotenv"), folder.join(".env"))?;
        fs::write(folder.join(".gitignore"), ".env\ndist/\nrig/\n")?;
        let images = &rig.artifacts.app_images;
        fs::copy(&images.auth, folder.join("dist/auth.tar"))?;
        fs::copy(&images.web, folder.join("dist/web.tar"))?;
        fs::copy(ca_root(&rig.place), folder.join("rig/acme-ca.pem"))?;
        for acme in Acme::ALL {
            fs::copy(acme.root(&rig.place), folder.join("rig").join(format!("{}-root.pem", acme.name())))?;
        }
        fs::write(folder.join("bedplate.lock"), lock(&rig.artifacts.pins)?)?;
        fs::write(folder.join("rig/sudo-password"), host.sudo_password()?)?;
        let mut inventory: Table = EXAMPLE.parse().context("reading inventory.example.toml")?;
        merge(&mut inventory, &overlay(&host.address, &host.host_key()?, &rig.artifacts.pins));
        let project = Self { folder, inventory };
        project.save(&rig.operator)?;
        run(rig.operator.command("git").args(["init", "--quiet"]).arg(&project.folder))?;
        Ok(project)
    }

    /// Says in the inventory that `host`, as it is now, is an agent. The login user is the one who types no sudo password, for each host has
    /// another.
    pub fn describe_agent(&mut self, host: &Host) -> Result<()> {
        let hosts = self.inventory.get_mut("hosts").and_then(Value::as_array_mut).context("the inventory has hosts")?;
        let agent = table([
            ("name", host.name.clone().into()),
            ("address", host.address.clone().into()),
            ("host_key", host.host_key()?.into()),
            ("role", "agent".into()),
            ("user", "ops".into()),
        ]);
        hosts.retain(|known| known.get("name") != agent.get("name"));
        hosts.push(agent);
        Ok(())
    }

    /// Writes the inventory, and gives all that lies in the project to the operator.
    pub fn save(&self, operator: &Operator) -> Result<()> {
        fs::write(self.file(), toml::to_string(&self.inventory)?)?;
        operator.own_all(&self.folder)?;
        operator.own(&self.folder.join("rig/sudo-password"), 0o600)?;
        operator.own(&self.folder.join(".env"), 0o600)
    }

    /// `inventory.toml`.
    pub fn file(&self) -> PathBuf {
        self.folder.join("inventory.toml")
    }

    /// A path in it.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.join(name)
    }
}

/// What the rig's inventory says otherwise than the example. Arrays of tables are matched by position.
pub fn overlay(address: &str, host_key: &str, pins: &[Pin]) -> Table {
    let mut versions = Table::new();
    for pin in pins {
        // The airgap images have k3s' version.
        if pin.name != "k3s-airgap" {
            versions.insert(pin.name.clone(), pin.version.clone().into());
        }
    }
    let mut acme = Table::new();
    for authority in Acme::ALL {
        let root = format!("rig/{}-root.pem", authority.name());
        let server = [("server", authority.directory()), ("server_ca", "rig/acme-ca.pem".into()), ("roots", root)];
        acme.insert(authority.name().into(), table(server.map(|(key, text)| (key, text.into()))));
    }
    let hosts = vec![table([("address", address.into()), ("host_key", host_key.into())])];
    let mirror = table([("endpoint", vec![registry()].into())]);
    Table::from_iter([
        ("source".into(), plain().into()),
        ("hosts".into(), Value::Array(hosts)),
        ("versions".into(), Value::Table(versions)),
        // The kernel where this runs has cgroup v1 only, which kubelet 1.35 refuses unless told otherwise.
        ("k3s".into(), table([("kubelet-arg", vec!["fail-cgroupv1=false"].into())])),
        ("registries".into(), table([("mirrors", table([("quay.io", mirror)]))])),
        ("acme".into(), Value::Table(acme)),
    ])
}

/// Puts `over` onto `base`: tables key by key, arrays of tables entry by entry, all else replaced.
pub fn merge(base: &mut Table, over: &Table) {
    for (key, value) in over {
        match (base.get_mut(key), value) {
            (Some(Value::Table(base)), Value::Table(over)) => merge(base, over),
            (Some(Value::Array(base)), Value::Array(over)) if over.iter().all(Value::is_table) => {
                for (base, over) in base.iter_mut().zip(over) {
                    if let (Value::Table(base), Value::Table(over)) = (base, over) {
                        merge(base, over);
                    }
                }
            }
            _ => {
                base.insert(key.clone(), value.clone());
            }
        }
    }
}

/// `bedplate.lock` with the sums of what the rig built.
pub fn lock(pins: &[Pin]) -> Result<String> {
    let at = run(Command::new("date").args(["--utc", "+%Y-%m-%dT%H:%M:%SZ"]))?;
    let entries = pins.iter().map(|pin| {
        let mut entry = Table::from_iter([
            ("name".into(), pin.name.clone().into()),
            ("version".into(), pin.version.clone().into()),
            ("url".into(), format!("{}/{}", plain(), pin.path).into()),
            ("size".into(), Value::Integer(i64::try_from(pin.size)?)),
            ("sha256".into(), pin.sha256.clone().into()),
            ("learnt".into(), "built by the rig".into()),
            ("at".into(), at.trim().into()),
        ]);
        if let Some(arch) = &pin.arch {
            entry.insert("arch".into(), arch.clone().into());
        }
        Ok(Value::Table(entry))
    });
    let entries = entries.collect::<Result<Vec<_>>>()?;
    Ok(toml::to_string(&Table::from_iter([("artifact".to_owned(), Value::Array(entries))]))?)
}

fn table<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Table(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the rig's inventory may differ from the example; `*` is any key.
    const ALLOWED: [&str; 10] = [
        "hosts.*.address",
        "hosts.*.port",
        "hosts.*.identity_file",
        "hosts.*.host_key",
        "source",
        "registries",
        "versions.*",
        "k3s.kubelet-arg",
        "acme.staging",
        "acme.production",
    ];

    /// The dotted paths of all values, entries of arrays by number.
    fn leaves(path: &str, value: &Value, found: &mut Vec<(String, Value)>) {
        let join = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        match value {
            Value::Table(table) => table.iter().for_each(|(key, value)| leaves(&join(key), value, found)),
            Value::Array(array) if array.iter().any(Value::is_table) => {
                array.iter().enumerate().for_each(|(n, value)| leaves(&join(&n.to_string()), value, found));
            }
            _ => found.push((path.to_owned(), value.clone())),
        }
    }

    fn differences(one: &Table, other: &Table) -> Vec<String> {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        leaves("", &Value::Table(one.clone()), &mut left);
        leaves("", &Value::Table(other.clone()), &mut right);
        let only = |these: &[(String, Value)], those: &[(String, Value)]| {
            these.iter().filter(|leaf| !those.contains(leaf)).map(|leaf| leaf.0.clone()).collect::<Vec<_>>()
        };
        [only(&left, &right), only(&right, &left)].concat()
    }

    fn allowed(path: &str) -> bool {
        ALLOWED.iter().any(|pattern| {
            let (pattern, path): (Vec<_>, Vec<_>) = (pattern.split('.').collect(), path.split('.').collect());
            path.len() >= pattern.len() && pattern.iter().zip(&path).all(|(want, is)| *want == "*" || want == is)
        })
    }

    fn rig_inventory() -> (Table, Table) {
        let pins = ["k3s", "k3s-airgap", "helm", "cert-manager"].map(|name| Pin {
            name: name.into(),
            version: "v0.0.1".into(),
            arch: None,
            path: name.into(),
            size: 1,
            sha256: "00".into(),
        });
        let example: Table = EXAMPLE.parse().unwrap();
        let mut inventory = example.clone();
        merge(&mut inventory, &overlay("203.0.113.11", "ssh-ed25519 AAAA", &pins));
        (example, inventory)
    }

    #[test]
    fn nothing_else_differs_from_the_example() {
        let (example, inventory) = rig_inventory();
        let differences = differences(&example, &inventory);
        assert!(differences.iter().any(|path| path == "hosts.0.address"), "{differences:?}");
        let other: Vec<_> = differences.iter().filter(|path| !allowed(path)).collect();
        assert!(other.is_empty(), "{other:?}");
    }

    #[test]
    fn another_difference_is_seen() {
        let (example, mut inventory) = rig_inventory();
        merge(&mut inventory, &"[[sites]]\nwait = '1h'\n[k3s]\nsecrets-encryption = false".parse().unwrap());
        let differences = differences(&example, &inventory);
        let other: std::collections::BTreeSet<_> = differences.iter().filter(|path| !allowed(path)).collect();
        assert_eq!(other.into_iter().collect::<Vec<_>>(), ["k3s.secrets-encryption", "sites.0.wait"]);
    }

    #[test]
    fn charts_are_pinned_without_an_architecture() {
        let pin = |name: &str, arch: Option<&str>| Pin {
            name: name.into(),
            version: "v1".into(),
            arch: arch.map(str::to_owned),
            path: "a/b".into(),
            size: 7,
            sha256: "ff".into(),
        };
        let text = lock(&[pin("k3s", Some("amd64")), pin("cert-manager", None)]).unwrap();
        let lock: Table = text.parse().unwrap();
        let entries = lock["artifact"].as_array().unwrap();
        assert_eq!(entries[0]["arch"].as_str(), Some("amd64"));
        assert_eq!(entries[0]["url"].as_str(), Some("http://203.0.113.1:8000/a/b"));
        assert_eq!((entries[1].get("arch"), entries[1]["size"].as_integer()), (None, Some(7)));
    }
}
