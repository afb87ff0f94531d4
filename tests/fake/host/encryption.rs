//! How k3s keeps Secrets: the names of its providers stand in its file, keys are none.

use bedplate::model::{ENCRYPTION_CONFIG, Encrypting, Failure, FileKind, Owner, Provider};
use serde_json::json;

use super::Host;
use crate::fake::api::Api;

const NEVER_BEFORE: &str = "identity";
const ENCRYPTED: &str = "aescbc identity";

impl Host {
    fn keys(&self) -> Option<&str> {
        std::str::from_utf8(&self.files.get(ENCRYPTION_CONFIG)?.bytes).ok()
    }

    pub(super) fn providers(&self) -> Option<Vec<Provider>> {
        let provider = |word| match word {
            "identity" => Provider::Identity,
            "aescbc" => Provider::Aescbc,
            other => panic!("{other}"),
        };
        Some(self.keys()?.split(' ').map(provider).collect())
    }

    fn keep(&mut self, providers: &str) {
        self.parents(ENCRYPTION_CONFIG, Owner::Root.ids());
        self.put(ENCRYPTION_CONFIG, FileKind::File, providers.into(), 0o600, (0, 0));
    }

    fn flagged(&self) -> bool {
        let config = self.files.get("/etc/rancher/k3s/config.yaml").map(|file| String::from_utf8_lossy(&file.bytes));
        config.is_some_and(|config| config.lines().any(|line| line == "secrets-encryption: true"))
    }

    /// The server starts: one that never had a key makes it.
    pub(super) fn start_encrypting(&mut self) {
        match (self.flagged(), self.keys()) {
            (true, None) => {
                assert!(!self.files.contains_key(super::CA), "a cluster with data was not told first");
                self.keep(ENCRYPTED);
            }
            (false, Some(ENCRYPTED)) => panic!("nobody can read a Secret any more"),
            _ => {}
        }
    }

    /// At its node: the stage, and the file that it was reached with.
    fn tell(&self, stage: &str, api: &mut Api) {
        let told = format!("{stage}-{}", self.files[ENCRYPTION_CONFIG].digest);
        api.put(json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": self.facts.hostname,
            "annotations": { "k3s.io/encryption-config-hash": told } } }));
    }

    /// k3s is ended once it has made itself a key, and starts again.
    pub fn dies_encrypting(&mut self, api: &mut Api) {
        self.tell("start", api);
        self.keep(ENCRYPTED);
        self.active_since = Some(self.tick());
    }

    pub(super) fn encrypt(&mut self, how: Encrypting, api: &mut Api) -> Result<(), Failure> {
        let refused = |seen: &str| Err(Failure::new("run k3s secrets-encrypt", seen, ""));
        let read = self.files.get(ENCRYPTION_CONFIG).is_some_and(|file| self.active_since.is_some_and(|since| since > file.modified));
        match (how, self.keys()) {
            _ if !self.serves() => return refused("k3s does not run"),
            (Encrypting::Enable, None) => self.keep(NEVER_BEFORE),
            (Encrypting::RotateKeys, Some(NEVER_BEFORE)) if self.flagged() && read => {
                self.keep(ENCRYPTED);
                self.tell("reencrypt_finished", api);
            }
            (Encrypting::Reencrypt, Some(ENCRYPTED)) if read => self.tell("reencrypt_finished", api),
            (Encrypting::Enable, Some(_)) => return refused("Put \"https://127.0.0.1:6443/v1-k3s/encrypt/config\": EOF"),
            (Encrypting::RotateKeys | Encrypting::Reencrypt, _) => return refused("secret-encrypt error"),
        }
        Ok(())
    }
}
