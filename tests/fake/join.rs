//! How an agent joins: with the token that the server's file and CA make together, and no other. It registers with what its config says.

use bedplate::inventory::Role;
use bedplate::model::{AGENT_TOKEN, HostId};
use serde_json::{Map, Value, json};

use super::World;
use super::host::{CA, Host, digest_of};

fn text(host: &Host, path: &str) -> Option<String> {
    host.files.get(path).map(|file| String::from_utf8_lossy(&file.bytes).into_owned())
}

impl World {
    /// Lets a host in, if it is an agent that runs and may.
    pub fn join(&mut self, id: &HostId) {
        let Some(agent) = self.hosts.get(id).filter(|host| host.role == Role::Agent && host.runs()) else { return };
        let server = self.hosts.values().find(|host| host.serves());
        let known = server.and_then(|server| Some((text(server, AGENT_TOKEN)?, text(server, CA)?)));
        let wanted = known.map(|(token, ca)| format!("K10{}::node:{token}", digest_of(&ca)));
        if wanted.is_none() || text(agent, AGENT_TOKEN) != wanted {
            return;
        }
        let config = text(agent, "/etc/rancher/k3s/config.yaml").unwrap_or_default();
        let list = |key: &str| -> Vec<String> {
            let line = config.lines().find_map(|line| line.strip_prefix(&format!("{key}: ")));
            line.map(|line| serde_json::from_str(line).unwrap()).unwrap_or_default()
        };
        let labels: Map<String, Value> =
            list("node-label").iter().filter_map(|label| label.split_once('=')).map(|(key, value)| (key.into(), value.into())).collect();
        let taint = |taint: &String| {
            let (rest, effect) = taint.split_once(':')?;
            let (key, value) = rest.split_once('=').unwrap_or((rest, ""));
            Some(json!({ "key": key, "value": value, "effect": effect }))
        };
        let taints: Vec<Value> = list("node-taint").iter().filter_map(taint).collect();
        self.api.register(&id.0.to_lowercase(), &labels.into(), &taints.into());
    }
}
