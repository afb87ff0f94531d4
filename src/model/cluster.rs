//! The one window that a step has on another host than its own: what an agent must know of the first server to join.

use super::{HostQuestion, Missing, Question, Reply, Secret, View, Why};

/// Holds the agent token: on the server its secret half, on an agent the whole.
pub const AGENT_TOKEN: &str = "/etc/rancher/k3s/join-token";

/// Where k3s serves the API on a server (k3s-docs:cli/server, `https-listen-port`, which can't be set here).
pub const API_PORT: u16 = 6443;

/// k3s' own kubeconfig (k3s-docs:cluster-access).
pub const K3S_KUBECONFIG: &str = "/etc/rancher/k3s/k3s.yaml";

/// A server's datastore and keys.
pub const K3S_DATA: &str = "/var/lib/rancher/k3s/server";

/// The cluster's CA, which k3s' server gives to whoever asks (contract §2.7). Is there once a server has begun to run.
pub const CLUSTER_CA: &str = "/var/lib/rancher/k3s/server/tls/server-ca.crt";

/// What an agent must know of the first server. Its address stands in the inventory.
#[derive(Clone, Copy, Debug)]
pub struct ClusterFacts<'a> {
    /// The agent token's secret half.
    pub token: &'a Secret,
    /// The cluster's CA in PEM.
    pub ca: &'a Secret,
}

impl<'a> View<'a> {
    /// What `cluster` must know.
    #[must_use]
    pub fn cluster_questions(&self) -> [Question; 2] {
        [AGENT_TOKEN, CLUSTER_CA].map(|path| Question::Host(self.server.clone(), HostQuestion::Content(path.into())))
    }

    /// The window.
    ///
    /// # Errors
    /// The first server has not made it yet, or can't be seen.
    pub fn cluster(&self) -> Result<ClusterFacts<'a>, Missing> {
        let [token, ca] = self.cluster_questions();
        let look = |question: Question, what: &str| {
            let found = self.look(question.clone(), |reply| match reply {
                Reply::Bytes(bytes) => Some(bytes),
                _ => None,
            });
            found?.ok_or_else(|| Missing { question, why: Why::Unreadable(format!("the server has made no {what} yet")) })
        };
        Ok(ClusterFacts { token: look(token, "token for agents")?, ca: look(ca, "CA")? })
    }
}
